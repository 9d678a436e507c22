# Lays files ready, and says which others go, until all are put in place together.
# needs: is_there leave_alone cat chmod grep ln mkdir rm

# write_file MODE PATH: standard input becomes the file, which is ours: where an earlier run wrote it
# and this one doesn't, it goes; nothing is in place before commit
write_file() {
    # or another write_file of this run has said so
    { will_write "$2" && grep -qxF -- "$2" "$new/written"; } || is_whole "$2"
    edit_whole "$1" "$2"
}

# put_program MODE PATH PART...: the program is what these functions print
put_program() {
    mode=$1 program=$2
    shift 2
    for part; do
        "$part" || leave_alone "$program can't be prepared"
    done > "$new/program"
    write_file "$mode" "$program" < "$new/program"
}

# edit_whole MODE PATH: the same for a file that has more in it than what is ours
edit_whole() {
    prepared=$new/files$2
    if will_write "$2" || printf '%s\n' "$2" >> "$new/list"; then
        folder "${prepared%/*}" && cat > "$prepared" && chmod "$1" "$prepared" && return
    fi
    leave_alone "$2 can't be prepared"
}

is_whole() {
    printf '%s\n' "$1" >> "$new/written" || leave_alone "$1 can't be prepared"
}

# folder PATH: as mkdir -p, which is not started where it is there
folder() {
    [ -d "$1" ] || mkdir -p "$1"
}

# link_files TARGET PATH...: symbolic links, put in place as files are
link_files() {
    target=$1
    shift
    for each; do
        prepared=$new/files$each
        if folder "${prepared%/*}" && ln -s "$target" "$prepared"; then
            printf '%s\n' "$each" >> "$new/list" && is_whole "$each" && continue
        fi
        leave_alone "$each can't be prepared"
    done
}

will_write() {
    is_there "$new/files$1"
}

# will_not_write PATH: what was prepared for it is not put in place
will_not_write() {
    for list in list written; do
        grep -vxF -- "$1" "$new/$list" > "$new/fewer" || [ $? -eq 1 ] ||
            leave_alone "nothing can be written below $state"
        cat "$new/fewer" > "$new/$list" || leave_alone "nothing can be written below $state"
    done
    rm -f "$new/files$1"
}

# set_aside PATH: the file is moved to the kept ones when the new ones are in place
set_aside() {
    printf '%s\n' "$1" >> "$new/aside" || leave_alone "$1 can't be set aside"
}

# takes_effect FOLDER WHAT: when it is said what this must wait for, this is said of files there
takes_effect() {
    printf '%s\n' "$*" >> "$new/effects" || leave_alone "nothing can be written below $state"
}

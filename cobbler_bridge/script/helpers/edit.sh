# Edits files that hold more than what is ours, in the copy that lies ready.

# current PATH: the file as it will be, which may have been edited before
current() {
    if will_write "$1"; then cat "$new/files$1"; else cat "$root$1"; fi
}

# rewrite_file PATH: standard input becomes the file, whose owner and mode stay
rewrite_file() {
    if will_write "$1"; then
        if cat > "$new/files$1"; then return; fi
    elif [ ! -e "$root$1" ]; then
        write_file 644 "$1"
        return
    elif mkdir -p "$new/files${1%/*}" && cp -p "$root$1" "$new/files$1"; then
        if cat > "$new/files$1" && printf '%s\n' "$1" >> "$new/list"; then return; fi
    fi
    leave_alone "$1 can't be prepared"
}

# text_of PATH: into $new/text; awk of some systems would cut a file at a NUL
text_of() {
    current "$1" > "$new/text" || leave_alone "$1 can't be read"
    [ "$(tr -d '\000' < "$new/text" | wc -c)" -eq "$(wc -c < "$new/text")" ] ||
        leave_alone "$1 is no text"
}

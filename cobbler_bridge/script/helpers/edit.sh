# Edits files that hold more than what is ours, in the copy that lies ready.
# needs: edit_whole folder leave_alone will_write cat cp tr wc

# of each device that is followed DEVICE=BRIDGE
followed=
# awk that knows them, and has every line at the end
# shellcheck disable=SC2016 # awk's
followed_awk='
    function read_followed(  n, pair) {
        for (pairs = split(followed, device, " "); n < pairs;) {
            split(device[++n], pair, "=")
            number[device[n] = pair[1]] = n
            bridge[n] = pair[2]
        }
    }
    # add: behind line l, unless it is there from an earlier run or of another device
    function add(text,  n) {
        for (n = l + 1; n <= l + pairs; n++) if (line[n] == text) return
        for (n = at; n < last; n++) if (out[n + 1] == text) return
        changed = out[++last] = text
    }
    function leave(n) { print path " names " device[n] ", which is a port of " bridge[n] " now" >> named }
    { line[NR] = $0 }
    '

# current PATH: the file as it will be, which may have been edited before
current() {
    if will_write "$1"; then cat "$new/files$1"; else cat "$root$1"; fi
}

# rewrite_file PATH: standard input becomes the file, whose owner and mode stay
rewrite_file() {
    if will_write "$1"; then
        if cat > "$new/files$1"; then return; fi
    elif [ ! -e "$root$1" ]; then
        edit_whole 644 "$1"
        return
    elif folder "$new/files${1%/*}" && cp -p "$root$1" "$new/files$1"; then
        if cat > "$new/files$1" && printf '%s\n' "$1" >> "$new/list"; then return; fi
    fi
    leave_alone "$1 can't be prepared"
}

# unfollowed TEXT: what holds for a port and not for its bridge is said at the end, and at the first boot
unfollowed() {
    printf '%s\n' "$*" >> "$new/named" || leave_alone "nothing can be written below $state"
}

# text_of PATH: into $new/text; awk of some systems would cut a file at a NUL
text_of() {
    current "$1" > "$new/text" || leave_alone "$1 can't be read"
    [ "$(tr -d '\000' < "$new/text" | wc -c)" -eq "$(wc -c < "$new/text")" ] ||
        leave_alone "$1 is no text"
}

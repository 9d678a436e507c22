# Names as they will stand, for what would leave out some of them.
# needs: edit_whole leave_alone will_write cat grep sed

# resolv_conf KINDS LINE...: in resolv.conf these lines stand in place of all of these kinds. EL 5
# and 6 add search domains and a second name server only together with a new first one
resolv_conf() {
    lines="^($1)[[:space:]]"
    shift
    from=$root/etc/resolv.conf
    ! will_write /etc/resolv.conf || from=$new/files/etc/resolv.conf
    [ -f "$from" ] || return 0
    printf '%s\n' "$@" > "$new/names" || leave_alone "nothing can be written below $state"
    there=$(grep -E "$lines" "$from" | sed 's/[[:space:]]*$//') || :
    [ "$there" != "$(cat "$new/names")" ] || return 0
    { grep -vE "$lines" "$from" || :; } >> "$new/names" ||
        leave_alone "nothing can be written below $state"
    edit_whole 644 /etc/resolv.conf < "$new/names"
}

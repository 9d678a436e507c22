# Finds out which release the machine is, where Cobbler doesn't know it.
# needs: say grep head sed

# release: sets release: el7, fedora41, debian12, or what the machine says of itself
release() {
    release=
    if [ -r "$root/etc/os-release" ]; then
        release=$(os_release)
    elif [ -r "$root/etc/redhat-release" ]; then
        number=$(sed -n 's/^[^0-9]*\([0-9]\{1,\}\).*/\1/p' "$root/etc/redhat-release" | head -n 1)
        release=el$number
        ! grep -q '^Fedora' "$root/etc/redhat-release" || release=fedora$number
    fi
    say "the release is ${release:-unknown}"
}

# os_release: what os-release(5) says; in a shell of its own
os_release() {
    # shellcheck disable=SC1091
    . "$root/etc/os-release"
    case " ${ID:-} ${ID_LIKE:-} ${PLATFORM_ID:-} " in
    " fedora "*) printf 'fedora%s\n' "${VERSION_ID:-}" ;;
    *" rhel "* | *" centos "* | *" platform:el"*) printf 'el%s\n' "${VERSION_ID%%.*}" ;;
    *) printf '%s%s\n' "${ID:-}" "${VERSION_ID:-}" ;;
    esac
}

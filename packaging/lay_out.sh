#!/bin/sh
# Lays out what a package of an operating system holds: lay_out.sh ROOT SITE PYTHON
#   ROOT    the folder that stands for / while the package is built
#   SITE    where that system's Python has its packages, as /usr/lib/python3.6/site-packages
#   PYTHON  the Python that runs cobblerd there, as /usr/bin/python3
# Run in the folder of the sources. Needs nothing but a POSIX shell and gzip.
set -eu
root=$1 site=$2 python=$3
package=$root$site/cobbler_bridge

doc=$root/usr/share/doc/cobbler-bridge
install -d "$package" "$root/usr/bin" "$root/usr/share/man/man8" "$doc/docs"
cp -R cobbler_bridge/. "$package"
for folder in scripts snippets triggers providers; do
    install -d "$package/$folder"
    cp -R "$folder/." "$package/$folder"
done
find "$package" -name __pycache__ -prune -exec rm -rf {} +
find "$package" -type f -exec chmod 644 {} +
find "$package" -type d -exec chmod 755 {} +

cat > "$root/usr/bin/cobbler-bridge" << END
#!$python -s
import sys
from cobbler_bridge.cli import main
sys.exit(main())
END
chmod 755 "$root/usr/bin/cobbler-bridge"
gzip -9n < packaging/cobbler-bridge.8 > "$root/usr/share/man/man8/cobbler-bridge.8.gz"
chmod 644 "$root/usr/share/man/man8/cobbler-bridge.8.gz"
for place in bash-completion/completions/cobbler-bridge zsh/site-functions/_cobbler-bridge; do
    install -d "$root/usr/share/${place%/*}"
    install -m 644 "packaging/completion/${place##*/}" "$root/usr/share/$place"
done
install -m 644 README.md CHANGELOG.md LICENSE "$doc"
install -m 644 docs/*.md docs/*.png "$doc/docs"

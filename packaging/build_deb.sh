#!/bin/sh
# Builds a Debian package of the sources in this folder: packaging/build_deb.sh FOLDER
# Leaves cobbler-bridge_VERSION_all.deb in FOLDER. Needs dpkg-deb.
set -eu
folder=$1
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' cobbler_bridge/__init__.py)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
sh packaging/lay_out.sh "$root" /usr/lib/python3/dist-packages /usr/bin/python3
doc=$root/usr/share/doc/cobbler-bridge
rm "$doc/LICENSE"
install -m 644 packaging/debian/copyright "$doc"
sed "s/@VERSION@/$version/" packaging/debian/changelog.in | gzip -9n > "$doc/changelog.gz"
chmod 644 "$doc/changelog.gz"
install -d "$root/DEBIAN"
sed "s/@VERSION@/$version/" packaging/debian/control.in > "$root/DEBIAN/control"
cp packaging/debian/triggers "$root/DEBIAN"
chmod 644 "$root/DEBIAN/control" "$root/DEBIAN/triggers"
install -m 755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm "$root/DEBIAN"
dpkg-deb --root-owner-group --build "$root" "$folder/cobbler-bridge_${version}_all.deb"

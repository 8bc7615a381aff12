#!/bin/sh
# Makes the archives of a release and their manifest: package.sh VERSION BINARIES OUT
# BINARIES holds linux-amd64/entrain and linux-arm64/entrain; VERSION begins with v.
set -eu
version=$1 binaries=$2 out=$3
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$out"
sed "s/v0\.0\.0/$version/g" "$root/packaging/krew/entrain.yaml" | grep -v '^#' > "$out/entrain.yaml"
for platform in linux-amd64 linux-arm64; do
  archive="$out/entrain-$platform.tar.gz"
  # Nothing of the machine or the hour may get into an archive.
  tar --create --gzip --file "$archive" --owner=0 --group=0 --numeric-owner --mtime=@0 \
    --directory "$binaries/$platform" entrain --directory "$root" LICENSE
  digest=$(sha256sum "$archive" | cut -d ' ' -f 1)
  place=SHA256_$(echo "$platform" | tr 'a-z-' 'A-Z_')
  sed "s/$place/$digest/" "$out/entrain.yaml" > "$out/entrain.yaml.new"
  mv "$out/entrain.yaml.new" "$out/entrain.yaml"
done

digest() {
if cksum </dev/null >/dev/null 2>&1; then cksum
elif md5sum </dev/null >/dev/null 2>&1; then md5sum
else sha1sum; fi
}
listed() {
unzip -l "$archive" "$@" 2>/dev/null | sed -n -e '/^ *---/,/^ *---/{' -e '/^ *---/d' -e 's/^ *[0-9]* *[-0-9]* *[0-9:]* *//p' -e '}'
}
there() {
cd "$dest" && listed "$@" | while read f; do
case $f in
*/) [ -d "$f" ] || echo missing;;
*) if [ -h "$f" ]; then ls -l "$f" | sed 's/.* -> //' | tr -d '\012'; else cat "$f" || echo missing; fi;;
esac
done
}
if [ -n "`listed "$@"`" ]; then
a=`unzip -p "$archive" "$@" 2>/dev/null | digest`
b=`there "$@" 2>/dev/null | digest`
if [ "$a" = "$b" ]; then echo same; fi
fi
:

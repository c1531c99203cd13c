digest() {
if cksum </dev/null >/dev/null 2>&1; then cksum
elif md5sum </dev/null >/dev/null 2>&1; then md5sum
else sha1sum; fi
}
names() {
cd "$root" && eval "$finds" | sed -e 's|^\./||' -e '/^\.\{0,1\}\/\{0,1\}$/d' -e 's|^-|./-|' | LC_ALL=C sort -u | eval "$keep"
}
pack() {
cd "$root" || return 1
if [ "$format" = zip ]; then names | zip -q -X - -@; return; fi
case `tar --version 2>&1` in
*GNU*|*bsdtar*) names | tar -cf - --no-recursion -T -;;
*) names | { set tar -cf -
case `tar --version 2>&1` in *usy[bB]ox*) set tar -cf - --no-recursion;; esac
while read f; do set "$@" "$f"; done
"$@"; };;
esac
}
squeeze() {
case $format in
gz) gzip -c;;
bz2) bzip2 -c;;
xz) xz -c;;
*) cat;;
esac
}
expand() {
case $format in
gz) gzip -dc;;
bz2) bzip2 -dc;;
xz) xz -dc;;
*) cat;;
esac
}
content() {
if [ -n "$single" ]; then cat "$single"; else pack; fi
}
held() {
if [ "$format" = zip ]; then
unzip -l "$dest" 2>/dev/null | sed -n -e '/^ *---/,/^ *---/{' -e '/^ *---/d' -e 's/^ *[0-9]* *[-0-9]* *[0-9:]* *//p' -e '}'
unzip -p "$dest"
else expand <"$dest"; fi
}
holds() {
if [ "$format" = zip ]; then
names
cd "$root" && names | while read f; do if [ -f "$f" ]; then cat "$f"; fi; done
else content; fi
}
same() {
[ -f "$dest" ] && a=`held 2>/dev/null | digest` && b=`holds 2>/dev/null | digest` && [ "$a" = "$b" ]
}
into() {
s=`{ { content; echo "st=$?" >&3; } | squeeze >"$1" 3>&-; } 3>&1` && [ "$s" = st=0 ]
}
make() {
if [ -n "$inside" ]; then into "$dest"; return; fi
t=$dest.$$
if into "$t"; then :; else rm -f "$t"; return 1; fi
if [ -f "$dest" ]; then cat "$t" >"$dest" && rm -f "$t"; else mv "$t" "$dest"; fi
}
clear() {
if [ -n "$single" ]; then rm -f "$single"; return; fi
cd "$root" && names | sort -r | while read f; do
f=`echo "$f" | sed 's|/$||'`
if [ -d "$f" ] && [ ! -h "$f" ]; then rmdir "$f" 2>/dev/null; else rm -f "$f"; fi
done
:
}

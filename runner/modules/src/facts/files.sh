if [ -n "$files" ]; then
awk '{ if (s != t) { print "@@" s; t = s }; print }' $files 2>/dev/null ||
for f in $files; do
case $f in
s=*) echo "@@$f" ;;
*) cat $f 2>/dev/null ;;
esac
done
fi

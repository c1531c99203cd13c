for f in "$fact_path"/*.fact; do
if [ -f "$f" ]; then
echo "@@site $f"
if [ -x "$f" ]; then
err=`"$f" </dev/null 2>&1 >&3`
rc=$?
echo
if [ "$rc" -ne 0 ]; then echo "@@site_failed $f"; echo "$rc"; echo "$err"; fi
else
cat "$f"
echo
fi
elif [ -h "$f" ]; then
echo "@@site_missing $f"
fi
done 3>&1

for f in "$fact_path"/*.fact; do
if [ -f "$f" ]; then
echo "@@site $f"
if [ -x "$f" ]; then "$f" </dev/null; else cat "$f"; fi
echo
fi
done

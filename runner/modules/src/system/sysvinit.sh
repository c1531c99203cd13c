case $n in
/*) script=$n;;
*) script=/etc/init.d/$n;;
esac
if [ ! -f "$script" ]; then echo missing; exit 0; fi
echo "script=$script"
b=`basename "$script"`
for r in 0 1 2 3 4 5 6 S; do
for l in /etc/rc$r.d/S[0-9][0-9]"$b" /etc/rc.d/rc$r.d/S[0-9][0-9]"$b"; do
if [ -f "$l" ]; then echo "on=$r"; fi
done
done
if [ -n "$asks" ]; then
out=`"$script" status </dev/null 2>&1`
echo "status=$?"
echo "$out" | sed 's/^/|/'
fi

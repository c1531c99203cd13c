if [ -d /run/systemd/system ] && systemctl --version >/dev/null 2>&1; then
echo systemd
systemctl show -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p MainPID -p FragmentPath -p Description -- "$n" 2>&1
echo
systemctl is-enabled -l -- "$n" 2>/dev/null
exit 0
fi
if [ -x /sbin/rc-service ] || [ -x /usr/sbin/rc-service ]; then
echo openrc
out=`rc-service "$n" status 2>&1`
echo "status=$?"
echo "$out" | sed 's/^/|/'
if rc-update show 2>/dev/null | grep " $n |" >/dev/null; then echo enabled=yes; else echo enabled=no; fi
exit 0
fi
if [ -x /usr/sbin/svcadm ]; then
echo smf
state=`svcs -H -o state "$n" 2>/dev/null`
case $state in
online*) echo status=0; echo enabled=yes;;
offline*) echo status=3; echo enabled=yes;;
disabled*) echo status=3; echo enabled=no;;
*) echo "status=4"; echo "|$state";;
esac
exit 0
fi
script=
for d in /etc/init.d /etc/rc.d/init.d /etc/rc.d /sbin/init.d; do
if [ -z "$script" ] && [ -f "$d/$n" ] && [ -x "$d/$n" ]; then script=$d/$n; fi
done
if [ -z "$script" ]; then echo missing; exit 0; fi
echo scripts
echo "script=$script"
out=`"$script" status </dev/null 2>&1`
echo "status=$?"
echo "$out" | sed 's/^/|/'
enabled=no
for l in /etc/rc[2345].d/S[0-9][0-9]"$n" /etc/rc.d/rc[2345].d/S[0-9][0-9]"$n"; do
if [ -f "$l" ]; then enabled=yes; fi
done
echo "enabled=$enabled"

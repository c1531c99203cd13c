if ip -V >/dev/null 2>&1 || ip -o link >/dev/null 2>&1; then
echo @@links; ip -o link 2>/dev/null
echo @@addresses; ip -o addr 2>/dev/null
echo @@route4; ip -4 route show default 2>/dev/null
echo @@route6; ip -6 route show default 2>/dev/null
else
echo @@ifconfig; ifconfig -a 2>/dev/null
echo @@routes; netstat -rn 2>/dev/null
fi

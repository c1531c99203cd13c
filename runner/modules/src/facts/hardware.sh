echo @@cpu
awk -F: '/^(processor|vendor_id|model name|physical id|core id|cpu cores|siblings|Processor|cpu model)/ { print }' /proc/cpuinfo 2>/dev/null
echo @@nproc; nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null
echo @@memory; cat /proc/meminfo 2>/dev/null || prtconf 2>/dev/null | grep '^Memory size'
echo @@uptime; cat /proc/uptime 2>/dev/null
echo @@mounts; cat /proc/mounts 2>/dev/null
echo @@space; df -Pk 2>/dev/null || df -k 2>/dev/null
echo @@inodes; df -Pi 2>/dev/null
echo @@dmi
for f in bios_date bios_vendor bios_version board_asset_tag board_name board_serial board_vendor board_version chassis_asset_tag chassis_serial chassis_type chassis_vendor chassis_version product_name product_serial product_uuid product_version sys_vendor; do
if [ -r /sys/class/dmi/id/$f ]; then v=; read v </sys/class/dmi/id/$f 2>/dev/null; echo "$f=$v"; fi
done
echo @@devices
for d in /sys/block/*; do
if [ -r $d/size ]; then
read s <$d/size; m=; r=0; q=0; v=
if [ -r $d/device/model ]; then read m <$d/device/model; fi
if [ -r $d/device/vendor ]; then read v <$d/device/vendor; fi
if [ -r $d/removable ]; then read r <$d/removable; fi
if [ -r $d/queue/rotational ]; then read q <$d/queue/rotational; fi
echo "disk|$d|$s|$r|$q|$v|$m"
for p in $d/*/partition; do
if [ -r $p ]; then p=`dirname $p`; read s <$p/size; echo "part|$p|$s"; fi
done
fi
done 2>/dev/null

'use strict';
// Hosts that log: most lines are well formed, some come from an appliance that writes no colon.
const net = require('node:net');
process.once('disconnect', () => process.exit());
const good = [
  '<34>sshd[4721]: Accepted publickey for deploy from 10.0.3.7',
  '<13>nginx: 10.0.3.9 GET /index.html 200',
  '<86>cron[99]: (root) CMD (run-parts /etc/cron.hourly)',
  '<30>app server[12]: request served in 12 ms',
];
const odd = ['<14>link-state-change-eth1/4', '<14>port flap on uplink 17/b', '<11>temperature sensor 4 = 61'];
const socket = net.connect(Number(process.argv[2]), '127.0.0.1');
socket.on('error', () => process.exit());
let sent = 0;
setInterval(() => {
  sent += 1;
  socket.write(`${sent % 4 === 0 ? odd[(sent / 4) % odd.length] : good[sent % good.length]}\n`);
}, 25);

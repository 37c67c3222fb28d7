'use strict';
const child = require('child_process');

class DiskMonitor {
  readings = [];
  probe() {
    const { stdout } = child.spawnSync('df', ['-k', '/'], { encoding: 'utf8' });
    this.readings.push(stdout.length);
  }
}

const monitor = new DiskMonitor();
setInterval(() => monitor.probe(), 50);

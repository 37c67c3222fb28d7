'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
class Sessions {
  constructor() {
    this.byToken = {};
  }
  open(user) {
    const token = Math.random().toString(36).slice(2);
    const session = { token, user, history: new Array(60).fill(user), createdAt: new Date() };
    this.byToken[token] = session;
    return session;
  }
}
const sessions = new Sessions();
const server = http
  .createServer((request, response) => {
    let last;
    for (let i = 0; i < 12; i++) last = sessions.open(`${request.url}-${i}`);
    response.end(last.token);
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 80 });

'use strict';
const http = require('node:http');
const net = require('node:net');
class Feed {
  constructor() {
    this.subscribers = new Set();
  }
  // Sends to all of them, however far behind they are.
  publish(event) {
    const text = `data: ${JSON.stringify(event)}\n\n`;
    for (const response of this.subscribers) {
      response.write(text);
      response.write('\n');
    }
  }
}
const feed = new Feed();
const server = http
  .createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    feed.subscribers.add(response);
    request.on('close', () => feed.subscribers.delete(response));
  })
  .listen(0, '127.0.0.1', () => {
    for (let i = 0; i < 3; i++) {
      const socket = net.connect(server.address().port, '127.0.0.1', () => {
        socket.write('GET /events HTTP/1.1\r\nhost: feed\r\n\r\n');
        socket.pause();
        setInterval(() => socket.read(1024), 50);
      });
    }
  });
const payload = 'x'.repeat(30_000);
let number = 0;
setInterval(() => feed.publish({ number: number++, payload }), 15);

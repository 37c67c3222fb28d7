import { Agent, createServer, get } from 'node:http';

const user = { id: 1, name: 'Ada', roles: ['reader', 'writer'] };

// Served and asked in one process, so that its loop has all that it can do and no one function does much of it.
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(user));
}).listen(0, '127.0.0.1', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const ask = () => {
    get({ port: server.address().port, host: '127.0.0.1', agent }, (response) =>
      response.resume().on('end', ask),
    );
  };
  for (let i = 0; i < 32; i += 1) ask();
});

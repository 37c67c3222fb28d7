'use strict';
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { drive } = require('../driver.cjs');

const ROOT = path.join(os.tmpdir(), 'photo-albums');
for (const [album, count] of Object.entries({ holiday: 1500, garden: 40 })) {
  fs.mkdirSync(path.join(ROOT, album), { recursive: true });
  if (fs.readdirSync(path.join(ROOT, album)).length === count) continue;
  for (let i = 0; i < count; i++) fs.writeFileSync(path.join(ROOT, album, `img-${i}.jpg`), 'x'.repeat(i));
}

function Router() {
  const layers = [];
  const router = (req, res) => {
    let at = 0;
    const next = (error) => {
      if (error) return fail(res, error);
      const layer = layers[at++];
      if (!layer) return fail(res, Object.assign(new Error('not found'), { status: 404 }));
      const params = layer.match(req);
      if (!params) return next();
      req.params = params;
      try {
        layer.handler(req, res, next);
      } catch (caught) {
        next(caught);
      }
    };
    next();
  };
  router.use = (handler) => layers.push({ match: () => ({}), handler });
  router.get = (pattern, handler) => {
    const parts = pattern.split('/');
    layers.push({
      match(req) {
        const given = req.url.split('/');
        if (given.length !== parts.length) return null;
        const params = {};
        for (let i = 0; i < parts.length; i++) {
          if (parts[i][0] === ':') params[parts[i].slice(1)] = given[i];
          else if (parts[i] !== given[i]) return null;
        }
        return params;
      },
      handler,
    });
  };
  return router;
}

function fail(res, error) {
  res.statusCode = error.status || (error.code === 'ENOENT' ? 404 : 500);
  res.end(JSON.stringify({ error: error.message }));
}

function listAlbum(name) {
  const directory = path.join(ROOT, path.basename(name));
  const pictures = [];
  for (const file of fs.readdirSync(directory)) {
    const stat = fs.statSync(path.join(directory, file));
    if (stat.isFile()) pictures.push({ file, size: stat.size, taken: stat.mtimeMs });
  }
  return pictures;
}

const app = Router();
app.use((req, res, next) => {
  res.setHeader('x-request-id', String(Date.now()));
  next();
});
app.get('/health', (req, res) => res.end('ok'));
app.get('/albums/:album', (req, res) => {
  const pictures = listAlbum(req.params.album);
  const newest = pictures.reduce((a, b) => (b.taken > a.taken ? b : a));
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ count: pictures.length, newest, first: pictures.slice(0, 30) }));
});

const server = http.createServer(app).listen(0, '127.0.0.1');
drive(server, {
  ratePerSecond: 95,
  paths: ['/albums/holiday', '/albums/holiday', '/albums/garden', '/albums/holiday', '/health'],
});

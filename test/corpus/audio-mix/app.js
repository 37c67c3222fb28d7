import { createServer } from 'node:http';
import driver from '../driver.cjs';

const SECONDS = 30;
const RATE = 48_000;
function silence(channels) {
  return Array.from({ length: channels }, () => new Float32Array(SECONDS * RATE));
}
function mix(channels) {
  const tracks = silence(channels);
  for (const track of tracks) for (let at = 0; at < track.length; at += 512) track[at] = 0.5;
  return tracks.reduce((sum, track) => sum + track[1024], 0);
}
const server = createServer((_request, response) => response.end(String(mix(4)))).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 30 });

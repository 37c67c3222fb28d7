import { pbkdf2Sync } from 'node:crypto';
import { serveUnderLoad } from '../load.js';

const hashPassword = (password) => pbkdf2Sync(password, 'salt', 60_000, 32, 'sha256').toString('hex');

serveUnderLoad((_request, response) => response.end(hashPassword('secret')), { ratePerSecond: 12 });

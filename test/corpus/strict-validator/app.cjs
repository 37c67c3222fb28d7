'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
class ValidationError extends Error {
  constructor(field, value) {
    super(`${field} must be positive, got ${value}`);
    this.field = field;
  }
}
const validator = {
  assertPositive(field, value) {
    if (!(value > 0)) throw new ValidationError(field, value);
  },
  valid(record) {
    let good = 0;
    for (const field in record) {
      try {
        this.assertPositive(field, record[field]);
        good++;
      } catch {
        // not counted
      }
    }
    return good;
  },
};
const records = Array.from({ length: 900 }, (_, i) => ({ a: i, b: -i, c: 0, d: -1 }));
const server = http
  .createServer((_request, response) => {
    let good = 0;
    for (const record of records) good += validator.valid(record);
    response.end(String(good));
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 25 });

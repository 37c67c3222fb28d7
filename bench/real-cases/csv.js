// n rows of CSV, one field in ten quoted, to arrays of texts: four parsers, and split(), which is wrong once a quoted
// field holds a comma: it is among them to show that it is thrown out for that.
import { parse as csvParse } from 'csv-parse/sync';
import { csvParseRows } from 'd3-dsv';
import Papa from 'papaparse';
import { inferSchema, initParser } from 'udsv';
import { randomFrom } from '../random.js';

const papaparse = (text) => Papa.parse(text).data;
const d3Dsv = (text) => csvParseRows(text);
const withCsvParse = (text) => csvParse(text);
const udsv = (text) => initParser(inferSchema(text, { header: () => [] })).stringArrs(text);
const split = (text) => text.split('\n').map((line) => line.split(','));

export default {
  name: 'CSV',
  variants: { papaparse, 'd3-dsv': d3Dsv, 'csv-parse': withCsvParse, udsv, split },
  sizes: [200, 10_000, 200_000],
  inputs: (size) => {
    const random = randomFrom(size);
    const field = () =>
      random() < 0.1 ? `"Smith, ${Math.floor(random() * 1e4)}"` : `${Math.floor(random() * 1e6)}`;
    const rows = [];
    for (let bytes = 0; bytes < size || rows.length < 3;) {
      const row = ['"a, b"', field(), field(), field(), field()].join(',');
      rows.push(row);
      bytes += row.length + 1;
    }
    return rows.join('\n');
  },
};

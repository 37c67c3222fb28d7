import { ThreadWorker } from 'poolifier';
import run from './pool-tasks.js';

export default new ThreadWorker(run);

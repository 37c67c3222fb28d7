import workerpool from 'workerpool';
import * as tasks from './pool-tasks.js';

workerpool.worker({ ...tasks });

import 'reflect-metadata';
import { billingBench } from './billing.js';
import { consoleBench } from './console.js';
import { engineBench } from './engine.js';
import { everythingBench } from './everything.js';
import { governanceBench } from './governance.js';
import { historyBench } from './history.js';
import { hostileBench } from './hostile.js';
import { hostingBench } from './hosting.js';
import { ingestBench } from './ingest.js';
import { kubernetesBench } from './kubernetes.js';
import { restBench } from './rest.js';
import { scaleOutBench } from './scale-out.js';
import { scaleBench } from './scale.js';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  ingest: ingestBench,
  scale: scaleBench,
  'scale-out': scaleOutBench,
  history: historyBench,
  rest: restBench,
  hostile: hostileBench,
  engine: engineBench,
  billing: billingBench,
  governance: governanceBench,
  hosting: hostingBench,
  kubernetes: kubernetesBench,
  console: consoleBench,
  everything: everythingBench,
};

const names = process.argv.slice(2).filter((name) => name !== '--');
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (names.length === 0 || unknown.length > 0) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join(' | ')}\n`);
  process.exit(2);
}
for (const name of names) await benches[name]!();

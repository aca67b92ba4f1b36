import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, which begin first, so that none of them is left running alone at the end. Those that mostly
 * wait for what others do in real time stand next to those that keep a core busy.
 */
const longest = [
  'governance/canary-killed',
  'hosting/ha-upgrade',
  'billing/partner-money',
  'governance/gitops-limits',
  'hosting/ha-patroni',
  'web/every-page',
  'web/domains',
  'hosting/faults',
  'hosting/killed',
  'web/ha',
  'security/isolation',
  'gateway/unread-events',
  'billing/webhooks',
  'hosting/kubernetes-faults',
  'billing/commission',
  'hosting/kubernetes-silence',
  'governance/canary',
  'web/windows',
  'panel/shutdown',
  'governance/canary-paths',
  'web/clusters',
  'panel/postgres-lost',
  'security/roles',
].map((name) => `/test/${name}.test.ts`);

/** Vitest's own order, which goes by the last run or else by size, after the files that are known to take long. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((end) => moduleId.endsWith(end));
      return at === -1 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

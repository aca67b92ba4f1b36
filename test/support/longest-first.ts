import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, which begin first, so that none of them is left running alone at the end. Those that mostly
 * wait for what others do in real time stand next to those that keep a core busy.
 */
const longest = [
  'hosting/faults',
  'security/isolation',
  'hosting/ha-upgrade',
  'web/every-page',
  'governance/canary-killed',
  'identity/audit/every-mutation',
  'governance/gitops-limits',
  'web/domains',
  'billing/partner-money',
  'web/ha',
  'fleet/ingest/survives-kill',
  'web/organization',
  'fleet/commands/killed-panel',
  'security/roles',
  'billing/killed-panel',
  'billing/webhooks',
  'hosting/killed',
  'web/alerting',
  'hosting/kubernetes-silence',
  'hosting/versions-side-by-side',
  'identity/login',
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

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in order. Those begin first, so that none of them is left running alone at the end. */
const longest = [
  'hosting/ha-upgrade',
  'hosting/faults',
  'governance/canary-killed',
  'identity/login',
  'hosting/kubernetes-silence',
  'panel/shutdown',
  'billing/partner-money',
  'panel/backup',
  'web/people',
  'governance/gitops-drift',
  'hosting/killed',
  'platform/durability',
  'identity/mail-delivery',
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

import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import { PreviewPolicyDocument, type PolicyRuleInput } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import { count, plural } from '../parts/words.ts';
import { evidenceText } from './policy-words.ts';

interface WhatIfProps {
  rule: PolicyRuleInput;
  appliesTo: unknown;
  /** The policy that it would take the place of. */
  policyId?: string;
}

const shown = 10;

/** It costs the tenant as much as ten other readings. */
const settledAfterMs = 1_500;

/** Where the rule would hold if it were in force now, asked for when typing pauses. */
export function WhatIf(given: WhatIfProps) {
  const asked = useSettled(JSON.stringify(given), settledAfterMs);
  const input = JSON.parse(asked) as WhatIfProps;
  const { data, told, read } = useRead(PreviewPolicyDocument, {
    variables: { input },
    requestPolicy: 'network-only',
  });
  if (told) return <Problem told={told} retry={read} />;
  if (!data) return <p role="status">Asking whom it would hit…</p>;
  const { passing, failing, unknown, exempt, results } = data.previewPolicy;
  const failed = results.filter(({ status }) => status === 'FAIL');
  return (
    <div role="status">
      <p>
        <strong>What if it were in force: it would not hold on {plural(failing, 'instance')}.</strong> It
        holds on {count(passing)}, {count(unknown)} are not known
        {exempt > 0 && `, ${count(exempt)} are exempt`}.
      </p>
      <ul className="lines">
        {failed.slice(0, shown).map(({ instanceId, instance, evidence }) => (
          <li key={instanceId}>
            {instance?.name ?? instanceId}: {evidence ? evidenceText(evidence) : 'it does not hold'}
          </li>
        ))}
      </ul>
      {failed.length > shown && <p>And {count(failed.length - shown)} others.</p>}
    </div>
  );
}

import { Link } from '@tanstack/react-router';

import { groupText, ruleText } from '../alerts/rule-words.ts';
import { useRead } from '../api/use-read.ts';
import { InstanceRulesDocument, type InstanceRulesQuery } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { words } from '../parts/words.ts';

type Rule = InstanceRulesQuery['instance']['effectiveAlertRules'][number];

/** What raises alerts for the instance, and by whose word. */
export function RulesInForce({ id }: { id: string }) {
  const { data, told, read } = useRead(InstanceRulesDocument, { variables: { id } });
  return (
    <Listing
      title="Alert rules in force"
      rows={data?.instance.effectiveAlertRules}
      told={told}
      retry={read}
      empty="This panel has none."
      keyOf={({ kind }) => kind}
      render={(rule) => (
        <div>
          <Status of={rule.isEnabled ? 'ACTIVE' : 'OFF'} /> <strong>{words(rule.kind)}</strong>{' '}
          {words(rule.severity).toLowerCase()}
          <p>{ruleText(rule)}</p>
          <p className="quiet">
            {sourceText(rule)} <Link to="/alerts/rules">See the rules</Link>
          </p>
        </div>
      )}
    />
  );
}

function sourceText({ override, rule }: Rule): string {
  if (override) return `By the override for ${groupText(override)} (priority ${override.priority}).`;
  return rule.updatedAt ? "By the organization's rule." : 'As the panel comes.';
}

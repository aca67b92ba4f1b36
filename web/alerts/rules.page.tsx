import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  AlertRulesDocument,
  ResetAlertRuleDocument,
  UpdateAlertRuleDocument,
  type AlertRuleRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { OverrideDialog } from './override-dialog.tsx';
import { Overrides } from './overrides.tsx';
import { RuleDialog } from './rule-dialog.tsx';
import { ruleText } from './rule-words.ts';
import { AlertTabs } from './tabs.tsx';

/** What raises alerts. The kinds are the panel's; when they fire is for the organization to say. */
export default function RulesPage() {
  const { data, told, read } = useRead(AlertRulesDocument);
  return (
    <Page title="Alert rules" actions={<AlertTabs />}>
      <p>
        Each rule is for all instances, but for those in a group with an override of it: of several the lowest
        number is in force. What somebody knows of already can be silenced at Alerts.
      </p>
      <div className="cards">
        <Listing
          title="Rules"
          rows={data?.alertRules}
          told={told}
          retry={read}
          empty="This panel has none."
          keyOf={({ kind }) => kind}
          render={(rule) => <RuleLine rule={rule} onChange={read} />}
        />
      </div>
    </Page>
  );
}

function RuleLine({ rule, onChange }: { rule: AlertRuleRowFragment; onChange: () => void }) {
  const { may } = useViewer();
  const [opened, setOpened] = useState<'rule' | 'override'>();
  const close = () => setOpened(undefined);
  const { kind, isEnabled, severity, updatedAt } = rule;
  const name = words(kind);
  return (
    <>
      <div>
        <Status of={isEnabled ? 'ACTIVE' : 'OFF'} /> <strong>{name}</strong> {words(severity).toLowerCase()}
        <p>{ruleText(rule)}</p>
        <p className="quiet">
          {updatedAt ? (
            <>
              Set <Time at={updatedAt} />
            </>
          ) : (
            'As the panel comes'
          )}
        </p>
        <Overrides rule={rule} onChange={onChange} />
      </div>
      {may('fleet.alert-rule.update') && (
        <div className="actions">
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Edit the rule ${name}`}
            onClick={() => setOpened('rule')}
          >
            Edit
          </button>
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Override the rule ${name} for a group`}
            onClick={() => setOpened('override')}
          >
            Override
          </button>
          {isEnabled ? (
            <Action
              document={UpdateAlertRuleDocument}
              variables={{ input: { kind, isEnabled: false } }}
              text="Switch off"
              label={`Switch off the rule ${name}`}
              confirm="It raises no alerts any more, and those that it has raised are over."
              done={`The rule ${name} is off.`}
              onDone={onChange}
            />
          ) : (
            <Action
              document={UpdateAlertRuleDocument}
              variables={{ input: { kind, isEnabled: true } }}
              text="Switch on"
              label={`Switch on the rule ${name}`}
              done={`The rule ${name} is on.`}
              onDone={onChange}
            />
          )}
          {updatedAt && (
            <Action
              document={ResetAlertRuleDocument}
              variables={{ kind }}
              text="Reset"
              label={`Reset the rule ${name}`}
              confirm="It is again as the panel comes."
              done={`The rule ${name} is as the panel comes.`}
              onDone={onChange}
            />
          )}
        </div>
      )}
      {opened === 'rule' && <RuleDialog rule={rule} onClose={close} onChange={onChange} />}
      {opened === 'override' && <OverrideDialog rule={rule} onClose={close} onChange={onChange} />}
    </>
  );
}

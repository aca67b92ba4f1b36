import { useState } from 'react';

import {
  RemoveAlertRuleOverrideDocument,
  type AlertRuleRowFragment,
  type OverrideRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { OverrideDialog } from './override-dialog.tsx';
import { groupText, overrideText } from './rule-words.ts';

interface OverridesProps {
  rule: AlertRuleRowFragment;
  onChange: () => void;
}

/** What a rule says otherwise of groups of instances, in the order in which that counts. */
export function Overrides({ rule, onChange }: OverridesProps) {
  const { may } = useViewer();
  const [edited, setEdited] = useState<OverrideRowFragment>();
  const { kind, overrides } = rule;
  const name = words(kind);
  if (overrides.length === 0) return null;
  return (
    <>
      <ul className="lines" aria-label={`Overrides of the rule ${name}`}>
        {overrides.map((override) => (
          <li key={override.groupId}>
            <strong>{override.priority}</strong> For {groupText(override)}: {overrideText(override)}.{' '}
            <span className="quiet">
              Set <Time at={override.updatedAt} />
            </span>{' '}
            {may('fleet.alert-rule.update') && (
              <>
                <button
                  type="button"
                  aria-haspopup="dialog"
                  aria-label={`Edit override of the rule ${name} for ${groupText(override)}`}
                  onClick={() => setEdited(override)}
                >
                  Edit override
                </button>{' '}
                <Action
                  document={RemoveAlertRuleOverrideDocument}
                  variables={{ kind, groupId: override.groupId }}
                  text="Remove override"
                  label={`Remove override of the rule ${name} for ${groupText(override)}`}
                  confirm="From their next beat on its instances are as the rule says, or as the next override that is about them."
                  done={`The override of the rule ${name} for ${groupText(override)} is removed.`}
                  onDone={onChange}
                />
              </>
            )}
          </li>
        ))}
      </ul>
      {edited && (
        <OverrideDialog
          rule={rule}
          override={edited}
          onClose={() => setEdited(undefined)}
          onChange={onChange}
        />
      )}
    </>
  );
}

import { useState } from 'react';

import { useDue } from '../api/use-due.ts';
import { useRead, type Reading } from '../api/use-read.ts';
import {
  CreateMaintenanceWindowDocument,
  DeleteMaintenanceWindowDocument,
  MaintenanceWindowsDocument,
  UpdateMaintenanceWindowDocument,
  GroupNamesDocument,
  type GroupNamesQuery,
  type WindowRowFragment,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { changedOf } from '../parts/changed.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { useViewer } from '../session/viewer.tsx';
import { settingsOf, WindowFields, windowOf } from './window-fields.tsx';
import { effects, scheduleText } from './window-words.ts';

/** When commands may begin, and when they may not. */
export default function MaintenancePage() {
  const { may } = useViewer();
  const { data, told, read } = useRead(MaintenanceWindowsDocument);
  const groups = useRead(GroupNamesDocument);
  const rows = data?.maintenanceWindows.nodes;
  useDue(rows?.flatMap(({ nextOpensAt, closesAt }) => [nextOpensAt, closesAt]) ?? [], data, read);
  const whom = ({ groupId }: WindowRowFragment) => {
    if (groupId === null) return 'all instances';
    const group = groups.data?.instanceGroups.nodes.find(({ id }) => id === groupId);
    return group ? `the group ${group.name}` : 'a group';
  };
  return (
    <Page title="Maintenance windows">
      <div className="cards">
        <Listing
          title="Windows"
          rows={rows}
          told={told}
          retry={read}
          empty={
            may('fleet.window.manage')
              ? 'There is none: commands begin at any time. Make one below to keep them to the nights, or out of an event.'
              : 'There is none: commands begin at any time.'
          }
          keyOf={({ id }) => id}
          render={(window) => (
            <WindowLine window={window} whom={whom(window)} groups={groups} onChange={read} />
          )}
        />
        {may('fleet.window.manage') && (
          <Card title="New window" className="wide">
            <ActionForm
              document={CreateMaintenanceWindowDocument}
              variables={(form) => ({ input: windowOf(form) })}
              submit="Make the window"
              done="The window is made."
              onDone={read}
              // Nobody is to choose among all instances and nothing else.
              isDisabled={!groups.data}
            >
              <WindowFields groups={groups} />
            </ActionForm>
          </Card>
        )}
      </div>
    </Page>
  );
}

interface WindowLineProps {
  window: WindowRowFragment;
  whom: string;
  groups: Reading<GroupNamesQuery>;
  onChange: () => void;
}

function WindowLine({ window, whom, groups, onChange }: WindowLineProps) {
  const { may } = useViewer();
  /** As it was when editing began. */
  const [edited, setEdited] = useState<WindowRowFragment>();
  const { id, name, effect, isOpen, closesAt, nextOpensAt } = window;
  return (
    <>
      <div>
        <Status of={isOpen ? 'ON' : 'OFF'} /> <strong>{name}</strong> for {whom}
        <p>
          {effects.find(({ value }) => value === effect)?.text}. {scheduleText(window)}.
        </p>
        <p className="quiet">
          {isOpen && closesAt && `It is on until ${exactTime(closesAt)}. `}
          {nextOpensAt ? (
            <>
              For you it begins {isOpen ? 'again ' : ''}
              {exactTime(nextOpensAt)} (<Time at={nextOpensAt} />)
            </>
          ) : (
            'It does not begin again.'
          )}
        </p>
      </div>
      {may('fleet.window.manage') && (
        <div className="actions">
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Edit ${name}`}
            onClick={() => setEdited(window)}
          >
            Edit
          </button>
          <Action
            document={DeleteMaintenanceWindowDocument}
            variables={{ id }}
            text="Remove"
            label={`Remove ${name}`}
            confirm={
              effect === 'ALLOW'
                ? 'Commands that wait for it begin as the other windows let them, or at once where there is none.'
                : 'It keeps no command back any more.'
            }
            done={`${name} is removed.`}
            onDone={onChange}
          />
        </div>
      )}
      {edited && (
        <FormDialog
          title={`Window: ${name}`}
          document={UpdateMaintenanceWindowDocument}
          variables={(form) => ({ input: { id, ...changedOf(settingsOf(edited), windowOf(form)) } })}
          submit="Save"
          done={`${name} is changed.`}
          onClose={() => setEdited(undefined)}
          onDone={onChange}
        >
          <WindowFields window={edited} groups={groups} />
        </FormDialog>
      )}
    </>
  );
}

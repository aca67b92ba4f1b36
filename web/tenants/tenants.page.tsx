import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { OfThePanel } from '../app/of-the-panel.tsx';
import {
  EndPlanGrantDocument,
  GrantPlanDocument,
  RestoreTenantDocument,
  SuspendTenantDocument,
  TenantsDocument,
  type Plan,
  type TenantStatus,
  type TenantsQuery,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Choice, Field, Select } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { withoutEmpty } from '../parts/search.ts';
import { Status } from '../parts/status.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { useTyped } from '../parts/use-typed.ts';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { CloseTenant } from './close-tenant.tsx';
import { ErasedTenants } from './erased-tenants.tsx';
import { NewTenant } from './new-tenant.tsx';
import { ResetOwner } from './reset-owner.tsx';
import { plans, tenantStatuses, type TenantSearch } from './tenant-search.ts';

type Tenant = TenantsQuery['tenants']['nodes'][number];

const route = getRouteApi('/tenants');

const optionsOf = <Value extends string>(values: readonly Value[]) => [
  { value: '' as const, text: 'Any' },
  ...values.map((value) => ({ value, text: words(value) })),
];

/** Every organization of the panel, for who runs it: their plans, and whether they may use it. */
export default function TenantsPage() {
  return (
    <OfThePanel title="Organizations" permission="identity.tenant.list">
      <Tenants />
    </OfThePanel>
  );
}

function Tenants() {
  const { may } = useViewer();
  const navigate = route.useNavigate();
  const { q: search = '', plan = '', status = '' } = route.useSearch();
  const change = (more: { q?: string; plan?: '' | Plan; status?: '' | TenantStatus }) =>
    void navigate({
      search: (before) => withoutEmpty<TenantSearch>({ ...before, ...more }),
      replace: true,
    });
  const [typed, setTyped] = useTyped(search, (q) => change({ q }));
  const { rows, error, hasMore, more, reload } = usePages(
    TenantsDocument,
    { filter: { search: search || null, plan: plan || null, status: status || null } },
    ({ tenants }) => tenants,
  );
  return (
    <Page title="Organizations">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field
          label="Name, owner's e-mail or id"
          type="search"
          maxLength={254}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Choice
          label="Plan"
          value={plan}
          options={optionsOf(plans)}
          onChange={(chosen) => change({ plan: chosen })}
        />
        <Choice
          label="State"
          value={status}
          options={optionsOf(tenantStatuses)}
          onChange={(chosen) => change({ status: chosen })}
        />
      </form>
      <Listing
        title="Organizations"
        rows={rows}
        told={error && problemOf(error)}
        retry={reload}
        more={hasMore ? more : undefined}
        empty="None is like this. Names are found by the beginnings of their words."
        keyOf={({ id }) => id}
        render={(tenant) => <TenantLine tenant={tenant} onChange={reload} />}
      />
      {may('identity.tenant.create') && <NewTenant onMade={reload} />}
      <ErasedTenants />
    </Page>
  );
}

function TenantLine({ tenant, onChange }: { tenant: Tenant; onChange: () => void }) {
  const { me, may } = useViewer();
  const [isGranting, setGranting] = useState(false);
  const [isResetting, setResetting] = useState(false);
  const [isClosing, setClosing] = useState(false);
  const { id, name, plan, status, owners, providerId, createdAt, suspendedAt, suspendedBy, eraseAt } = tenant;
  const isByProvider = suspendedBy.includes('PROVIDER');
  const isOwn = id === me.tenant.id;
  // What a client has is its provider's to decide.
  const isGrantable = providerId === null;
  const isClosed = providerId === null && eraseAt !== null;
  return (
    <>
      <div>
        <Status of={status} /> <strong>{name}</strong> {words(plan)}
        <p>{owners.map(({ email }) => email).join(', ') || 'It has no owner yet.'}</p>
        <p className="quiet">
          <code>{id}</code>, made <Time at={createdAt} />
          {suspendedAt && (
            <>
              , suspended <Time at={suspendedAt} />
              {isByProvider && ' by its provider'}
            </>
          )}
          {providerId && '. Its provider decides on its plan.'}
        </p>
        {eraseAt && <p className="wrong">All of it is erased {exactTime(eraseAt)}, unless it is restored.</p>}
      </div>
      <div className="actions">
        {may('identity.second-factor.reset') && !isOwn && owners.length > 0 && (
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Reset a second factor at ${name}`}
            onClick={() => setResetting(true)}
          >
            Reset a second factor
          </button>
        )}
        {isGrantable && may('identity.plan.grant') && (
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Grant a plan to ${name}`}
            onClick={() => setGranting(true)}
          >
            Grant a plan
          </button>
        )}
        {isGrantable && may('identity.plan.grant') && (
          <Action
            document={EndPlanGrantDocument}
            variables={{ tenantId: id }}
            text="End a grant"
            label={`End a grant of a plan to ${name}`}
            confirm="Where a plan was granted, it has within seconds what it subscribes to, Free without that. Nothing changes otherwise."
            done={`${name} has what it subscribes to.`}
            onDone={onChange}
          />
        )}
        {may('identity.tenant.suspend') && !isOwn && !suspendedBy.includes('PANEL') && (
          <Action
            document={SuspendTenantDocument}
            variables={{ id }}
            text="Suspend"
            label={`Suspend ${name}`}
            confirm="Its people, nodes and API keys are refused within seconds, until it is restored. Nothing is deleted, and what it subscribes to goes on being charged: closing it ends that."
            done={`${name} is suspended.`}
            onDone={onChange}
          />
        )}
        {may('identity.tenant.suspend') && (isClosed || suspendedBy.includes('PANEL')) && (
          <Action
            document={RestoreTenantDocument}
            variables={{ id }}
            text="Restore"
            label={`Restore ${name}`}
            done={
              isByProvider
                ? `${name} stays suspended by its provider.`
                : `${name} is restored. Its people sign in anew.`
            }
            onDone={onChange}
          />
        )}
        {may('identity.tenant.close') && !isOwn && providerId === null && !isClosed && (
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Close ${name}`}
            onClick={() => setClosing(true)}
          >
            Close
          </button>
        )}
      </div>
      {isClosing && <CloseTenant tenant={tenant} onClose={() => setClosing(false)} onDone={onChange} />}
      {isResetting && <ResetOwner tenant={tenant} onClose={() => setResetting(false)} />}
      {isGranting && (
        <FormDialog
          title={`A plan for ${name}`}
          document={GrantPlanDocument}
          variables={(form) => ({ input: { tenantId: id, plan: textOf(form, 'plan') as Plan } })}
          submit="Grant it"
          done={`${name} has another plan.`}
          onClose={() => setGranting(false)}
          onDone={onChange}
        >
          <p>It is in force at once, and without payment.</p>
          <Select
            label="Plan"
            name="plan"
            options={plans.map((value) => ({ value, text: words(value) }))}
            defaultValue={plan}
          />
        </FormDialog>
      )}
    </>
  );
}

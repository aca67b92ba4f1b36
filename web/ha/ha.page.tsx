import { useAgain } from '../api/use-again.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { OfThePanel } from '../app/of-the-panel.tsx';
import {
  FailOverDocument,
  HaChangedDocument,
  HighAvailabilityDocument,
  type HaStandingFragment,
  type HighAvailabilityQuery,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { count, plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Upgrades } from './upgrades.tsx';

type Process = HighAvailabilityQuery['haNodes'][number];
type Member = HaStandingFragment['database']['members'][number];

/** How the panel itself stands: its processes, its database, who leads, and upgrades of all of them. */
export default function HighAvailabilityPage() {
  return (
    <OfThePanel title="High availability" permission="hosting.ha.read">
      <HighAvailability />
    </OfThePanel>
  );
}

function HighAvailability() {
  const { data, told, read } = useRead(HighAvailabilityDocument);
  useFollowed(HaChangedDocument, {}, read);
  // In a failover nothing can be read for some seconds.
  useAgain(told, read);
  return (
    <Page title="High availability">
      <Problem told={told} retry={read} />
      {!data && !told && <p role="status">Reading how the panel stands…</p>}
      {data && (
        <div className="cards">
          <Standing standing={data.haStatus} />
          <Database database={data.haStatus.database} onChange={read} />
          <Listing
            title="Processes"
            rows={data.haNodes}
            empty="None has said that it is there."
            keyOf={({ id }) => id}
            render={(process) => <ProcessLine process={process} onChange={read} />}
          />
          <Upgrades upgrades={data.haUpgrades} onChange={read} />
          <Listing
            title="Who has led"
            rows={data.haChanges}
            empty="The leader has never changed."
            keyOf={({ kind, epoch, occurredAt }) => `${kind} ${epoch} ${occurredAt}`}
            render={({ kind, from, to, epoch, occurredAt }) => (
              <div>
                {words(kind)}: {from ?? 'nobody that is known'} → {to ?? 'nobody'}
                {epoch !== null && `, ${kind === 'database' ? 'timeline' : 'epoch'} ${count(epoch)}`}{' '}
                <Time at={occurredAt} />
              </div>
            )}
          />
        </div>
      )}
    </Page>
  );
}

function Standing({ standing }: { standing: HaStandingFragment }) {
  const { mode, status, leader, nodes, reasons, lastFailover, replicationLagMs } = standing;
  return (
    <Card title="State">
      <p aria-live="polite">
        <Status of={status} /> {plural(nodes, 'process', 'processes')},{' '}
        {leader === null ? 'and nobody leads' : `${leader} leads`}
      </p>
      {mode === 'standalone' && (
        <p>
          It stands alone: one process and one server of the database. When either ends, nobody is there to
          take over. More processes on the same database, with REDIS_URL set for all, change that.
        </p>
      )}
      <ul className="lines">
        {reasons.map(({ code, message }) => (
          <li key={`${code} ${message}`}>
            <strong>{words(code)}</strong> {message}
          </li>
        ))}
      </ul>
      <p className="quiet">
        The leader last changed: <Time at={lastFailover} />.{' '}
        {replicationLagMs !== null &&
          `The standby that is furthest behind is ${count(replicationLagMs)} ms behind.`}
      </p>
    </Card>
  );
}

const kinds: Record<string, string> = {
  standalone: 'One server, without standbys.',
  streaming: 'It has standbys. Who takes over is decided outside of the panel.',
  patroni: 'Patroni decides who leads, and hands over when it is asked to.',
};

interface DatabaseProps {
  database: HaStandingFragment['database'];
  onChange: () => void;
}

function Database({ database: { kind, leader, timeline, isSynchronous, members }, onChange }: DatabaseProps) {
  const { may } = useViewer();
  return (
    <Card title="Database">
      <p>{kinds[kind] ?? words(kind)}</p>
      {leader !== null && (
        <p>
          {leader} leads{timeline !== null && `, on timeline ${timeline}`}.
        </p>
      )}
      {isSynchronous !== null && (
        <p>
          {isSynchronous
            ? 'A commit waits for a standby: a failover loses nothing that was acknowledged.'
            : 'No commit waits for a standby: a failover may lose the last ones.'}
        </p>
      )}
      <ul className="rows" aria-label="Servers of the database">
        {members.map((member) => (
          <li key={member.name} className="row">
            <MemberText member={member} />
            {kind === 'patroni' && member.role === 'FOLLOWER' && may('hosting.ha.manage') && (
              <Lead
                target={member.name}
                name={member.name}
                confirm="The database hands over to this server. For some seconds nothing can be written."
                onChange={onChange}
              />
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function MemberText({ member: { name, role, state, isSynchronous, lagMs, lagBytes } }: { member: Member }) {
  return (
    <div>
      <strong>{name}</strong> {words(role)}, {state}
      {isSynchronous && ', commits wait for it'}
      {lagMs !== null && `, ${count(lagMs)} ms behind`}
      {lagBytes !== null && `, ${count(lagBytes)} bytes of log behind`}
    </div>
  );
}

function ProcessLine({ process, onChange }: { process: Process; onChange: () => void }) {
  const { may } = useViewer();
  const { id, name, role, status, version, address, startedAt, lastHeartbeat, leases } = process;
  return (
    <>
      <div>
        <Status of={status} /> <strong>{name}</strong> {words(role)}, version {version}, since{' '}
        <Time at={startedAt} />
        <p className="quiet">
          {address || 'It does not listen yet'}, last heard of <Time at={lastHeartbeat} />
          {leases.length > 0 && `, holds ${leases.map((lease) => lease.name).join(', ')}`}
        </p>
      </div>
      {role === 'FOLLOWER' && status === 'HEALTHY' && may('hosting.ha.manage') && (
        <Lead
          target={id}
          name={name}
          confirm="Singletons that are under way end, and this process gets all leases. Clients notice nothing."
          onChange={onChange}
        />
      )}
    </>
  );
}

interface LeadProps {
  target: string;
  name: string;
  confirm: string;
  onChange: () => void;
}

function Lead({ target, name, confirm, onChange }: LeadProps) {
  return (
    <Action
      document={FailOverDocument}
      variables={{ input: { target } }}
      text="Lead now"
      label={`Have ${name} lead now`}
      confirm={confirm}
      done={`${name} leads.`}
      onDone={onChange}
    />
  );
}

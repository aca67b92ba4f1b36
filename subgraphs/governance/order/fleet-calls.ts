import { parse } from 'graphql';

import type { ServiceClient } from '#platform/auth/service-client.js';
import { ApiError } from '#platform/errors.js';

import type { CommandOrder } from './order.js';

/** What governance may ask of the panel for its canaries and remediations, and no more. */
export const panelPermissionsNeeded = [
  'fleet.command.send',
  'fleet.command.cancel',
  'fleet.command.read',
  'fleet.instance.read',
  'fleet.alert.read',
  'governance.canary.read',
  'governance.score.read',
] as const;

const sendDocument = parse(/* GraphQL */ `
  mutation SendOrderedCommand($input: SendCommandInput!) {
    sendCommand(input: $input) {
      id
    }
  }
`);

const cancelledDocument = parse(/* GraphQL */ `
  query OrderedCommandCancelled($id: ID!) {
    command(id: $id) {
      cancelledAt
    }
  }
`);

const cancelDocument = parse(/* GraphQL */ `
  mutation CancelOrderedCommand($id: ID!) {
    cancelCommand(id: $id) {
      id
    }
  }
`);

const resultsDocument = parse(/* GraphQL */ `
  query OrderedCommandResults($id: ID!) {
    command(id: $id) {
      finishedAt
      results(first: 1000) {
        instanceId
        status
        finishedAt
      }
    }
  }
`);

const measureDocument = parse(/* GraphQL */ `
  query MeasureCanary($id: ID!, $instanceIds: [ID!]!) {
    canary(id: $id) {
      members(first: 200, instanceIds: $instanceIds) {
        instanceId
        instance {
          status
          statusReasons {
            code
            since
          }
          lastSeen
          cpuPercent
          memoryPercent
          score
          activeAlerts {
            startedAt
            clearSince
          }
        }
      }
    }
  }
`);

export interface Asker {
  tenantId: string;
  causedBy: string;
  actor: string;
}

export interface CommandState {
  isFinished: boolean;
  results: { instanceId: string; status: string; finishedAt: string | null }[];
}

export interface Seen {
  status: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
  /** When the newest of what makes it so began; null when it was so from the start, and where it is healthy. */
  statusSince: string | null;
  lastSeen: string | null;
  cpuPercent: number | null;
  memoryPercent: number | null;
  score: number | null;
  activeAlerts: { startedAt: string; clearSince: string | null }[];
}

/** What the panel does for governance, through the gateway. All of it is safe to repeat. */
export class FleetCalls {
  constructor(private readonly panel: ServiceClient) {}

  /** The same key is the same command. */
  async send(
    asker: Asker,
    order: CommandOrder & {
      instanceIds: readonly string[];
      deadlineSeconds: number;
      ignoresWindows: boolean;
    },
    idempotencyKey: string,
  ): Promise<string> {
    const { command, params, instanceIds, deadlineSeconds, ignoresWindows } = order;
    const half = Math.floor(deadlineSeconds / 2);
    const { sendCommand } = await this.panel.call<{ sendCommand: { id: string } }>({
      ...asker,
      document: sendDocument,
      variables: {
        input: {
          command,
          params,
          instanceIds,
          ignoresWindows,
          maxConcurrency: 10_000,
          // Whether too many have failed is for the canary to say.
          maxErrors: 10_000,
          deliveryTimeoutSeconds: Math.max(30, half),
          executionTimeoutSeconds: Math.max(5, half),
          idempotencyKey,
        },
      },
    });
    return sendCommand.id;
  }

  /** Nothing of it begins any more. What was cancelled is not cancelled again at each look, as the audit trail would tell. */
  async cancel(asker: Asker, id: string): Promise<void> {
    try {
      const { command } = await this.panel.call<{ command: { cancelledAt: string | null } }>({
        ...asker,
        document: cancelledDocument,
        variables: { id },
      });
      if (command.cancelledAt !== null) return;
      await this.panel.call({ ...asker, document: cancelDocument, variables: { id } });
    } catch (error) {
      // It has ended already.
      if (error instanceof ApiError && (error.code === 'CONFLICT' || error.code === 'NOT_FOUND')) return;
      throw error;
    }
  }

  async results(asker: Asker, id: string): Promise<CommandState> {
    const { command } = await this.panel.call<{
      command: { finishedAt: string | null; results: CommandState['results'] };
    }>({ ...asker, document: resultsDocument, variables: { id } });
    return { isFinished: command.finishedAt !== null, results: command.results };
  }

  /** How instances are now, as fleet and governance know it together. Those that left the fleet are not among them. */
  async measure(asker: Asker, canaryId: string, instanceIds: readonly string[]): Promise<Map<string, Seen>> {
    if (instanceIds.length === 0) return new Map();
    const { canary } = await this.panel.call<{
      canary: { members: { instanceId: string; instance: Measured | null }[] };
    }>({ ...asker, document: measureDocument, variables: { id: canaryId, instanceIds } });
    return new Map(
      canary.members.flatMap(({ instanceId, instance }) =>
        instance ? [[instanceId, withoutSkew(instance)]] : [],
      ),
    );
  }
}

interface Measured extends Omit<Seen, 'statusSince'> {
  statusReasons: { code: string; since: string | null }[];
}

/** To run an older version than most is what a canary makes of instances, and says nothing of how they are. */
function withoutSkew({ statusReasons, ...seen }: Measured): Seen {
  const others = statusReasons.filter(({ code }) => code !== 'VERSION_SKEW');
  const isSkewOnly = statusReasons.length > 0 && others.length === 0;
  const times = others.flatMap(({ since }) => since ?? []).toSorted((a, b) => Date.parse(a) - Date.parse(b));
  const statusSince = times.at(-1) ?? null;
  return seen.status === 'DEGRADED' && isSkewOnly
    ? { ...seen, status: 'HEALTHY', statusSince }
    : { ...seen, statusSince };
}

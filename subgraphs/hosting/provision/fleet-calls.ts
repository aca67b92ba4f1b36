import { parse } from 'graphql';

import type { ServiceClient } from '#platform/auth/service-client.js';
import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';

/** What hosting may ask of fleet, and no more. */
export const fleetPermissionsNeeded = [
  'fleet.server-token.create',
  'fleet.token.revoke',
  'fleet.instance.decommission',
  'fleet.command.read',
] as const;

const createToken = parse(/* GraphQL */ `
  mutation CreateServerToken($input: CreateServerEnrollmentTokenInput!) {
    createServerEnrollmentToken(input: $input) {
      token
      enrollmentToken {
        id
      }
    }
  }
`);

const revokeToken = parse(/* GraphQL */ `
  mutation RevokeServerToken($id: ID!) {
    revokeEnrollmentToken(id: $id) {
      id
    }
  }
`);

const decommission = parse(/* GraphQL */ `
  mutation DecommissionServerInstance($id: ID!) {
    decommissionInstance(id: $id) {
      id
    }
  }
`);

const openCommands = parse(/* GraphQL */ `
  query OpenCommandsOfServer($instanceId: ID!) {
    pending: commands(first: 1, filter: { instanceId: $instanceId, status: PENDING }) {
      nodes {
        id
      }
    }
    inProgress: commands(first: 1, filter: { instanceId: $instanceId, status: IN_PROGRESS }) {
      nodes {
        id
      }
    }
    cancelling: commands(first: 1, filter: { instanceId: $instanceId, status: CANCELLING }) {
      nodes {
        id
      }
    }
  }
`);

/** As long as a server may take to be made and to enroll, and its place is kept. */
const tokenHours = 2;
export const tokenMs = tokenHours * 3_600_000;

/** For whom fleet is asked. */
export interface Asker {
  tenantId: string;
  causedBy: string;
  actor?: string;
}

/** What fleet does for hosting, through the gateway. All of it is safe to repeat. */
export class FleetCalls {
  constructor(
    private readonly fleet: ServiceClient,
    private readonly logger: Logger,
  ) {}

  /** The token of a server's node, and with it a place under the plan's limit. LIMIT_REACHED, CONFLICT (PAYMENT_OVERDUE). */
  async reserve(
    asker: Asker,
    server: { id: string; name: string; tags: readonly string[] },
  ): Promise<{ tokenId: string; token: string }> {
    const { createServerEnrollmentToken: made } = await this.fleet.call<{
      createServerEnrollmentToken: { token: string; enrollmentToken: { id: string } };
    }>({
      ...asker,
      document: createToken,
      variables: {
        input: {
          serverId: server.id,
          name: server.name,
          hostname: server.name.toLowerCase(),
          expiresInHours: tokenHours,
          tags: server.tags,
        },
      },
    });
    return { tokenId: made.enrollmentToken.id, token: made.token };
  }

  /** Gives the place back, unless a node has taken it. */
  async release(asker: Asker, tokenId: string): Promise<void> {
    await unlessGone(this.fleet.call({ ...asker, document: revokeToken, variables: { id: tokenId } }));
  }

  /**
   * The same where nothing may wait for it: fleet may be away, and refuses whoever acts for a tenant that is suspended. A
   * place that is not given back ends by itself with its token, two hours after it was asked for.
   */
  async giveBack(asker: Asker, tokenId: string): Promise<void> {
    try {
      await this.release(asker, tokenId);
    } catch (error) {
      this.logger.warn({ err: error, tokenId }, 'a place for a server was not given back');
    }
  }

  /** Takes the node out of the fleet; its credential is refused from then on. */
  async decommission(asker: Asker, instanceId: string): Promise<void> {
    await unlessGone(this.fleet.call({ ...asker, document: decommission, variables: { id: instanceId } }));
  }

  /** Whether any command on the node has not ended. */
  async hasOpenCommands(asker: Asker, instanceId: string): Promise<boolean> {
    const found = await this.fleet.call<Record<string, { nodes: unknown[] }>>({
      ...asker,
      document: openCommands,
      variables: { instanceId },
    });
    return Object.values(found).some(({ nodes }) => nodes.length > 0);
  }
}

async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'NOT_FOUND') return;
    throw error;
  }
}

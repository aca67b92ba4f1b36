import { Authorized, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { OrganizationExport } from './organization-export.entity.js';
import type { OrganizationExports } from './organization-export.service.js';

@Resolver()
export class OrganizationExportResolver {
  constructor(private readonly exports: OrganizationExports) {}

  @Authorized('identity.organization.export')
  @Query(() => OrganizationExport, {
    nullable: true,
    description:
      "The newest export of the viewer's organization, under way or complete; null without one, and once its time is over. " +
      'Owners only.',
  })
  async organizationExport(@Ctx() { operation }: SubgraphContext): Promise<OrganizationExport | null> {
    return this.exports.newest(operation);
  }

  @Authorized('identity.organization.export')
  @Mutation(() => OrganizationExport, {
    description:
      "Copies all that the viewer's organization has into an export, area by area, which takes seconds to minutes; " +
      '`organizationExport` tells when it is complete. Measurements are not in it, nor are secrets. Repeated within an hour it ' +
      'answers the one that there is; after that a new one takes its place. Owners only, and no API keys. FORBIDDEN (ROLE_CHANGED).',
  })
  async exportOrganization(@Ctx() { operation }: SubgraphContext): Promise<OrganizationExport> {
    return this.exports.begin(operation);
  }
}

import { Authorized, Query, Resolver } from 'type-graphql';

import { Package } from './package.js';
import { packages } from './packages.js';

@Resolver(() => Package)
export class PackageResolver {
  @Authorized('billing.package.read')
  @Query(() => [Package], { description: 'The plans that there are, the smallest first.' })
  packages(): readonly Package[] {
    return packages;
  }
}

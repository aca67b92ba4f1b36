import { PostgreSqlDriver } from '@mikro-orm/postgresql';

import { arrayLiteral } from './array-literal.js';

/**
 * MikroORM's driver with arrays in which every text stays what it is. @mikro-orm/postgresql 7.2.1 quotes only what has a
 * comma, a brace, a quote or a backslash: the text "null" becomes NULL, and text loses the blanks around it.
 */
export class Driver extends PostgreSqlDriver {
  constructor(config: ConstructorParameters<typeof PostgreSqlDriver>[0]) {
    super(config);
    this.platform.marshallArray = arrayLiteral;
  }
}

import { registerEnumType } from 'type-graphql';

export enum ChangeCause {
  CREATE = 'CREATE',
  UPDATE = 'UPDATE',
  RESTART = 'RESTART',
  ROLLBACK = 'ROLLBACK',
}

registerEnumType(ChangeCause, {
  name: 'ChangeCause',
  description: 'What a revision of a deployment came about by.',
  valuesConfig: {
    CREATE: { description: 'It was made.' },
    UPDATE: { description: 'It was changed.' },
    RESTART: { description: 'It was restarted.' },
    ROLLBACK: { description: 'It was rolled back.' },
  },
});

// What GraphiQL opens with: a tab for each domain. A test holds them against the schema.

/** @type {readonly { title: string, query: string, variables?: string }[]} */
export const examples = [
  {
    title: 'Fleet',
    query: `# How the fleet is, and what is wrong with it. Signed in by the console's session.
query Fleet {
  fleetSummary {
    totalInstances
    healthy
    degraded
    offline
  }
  instances(first: 20) {
    totalCount
    nodes {
      name
      status
      version
      statusReasons {
        code
        message
      }
      activeAlerts {
        rule
        severity
        message
      }
    }
  }
}`,
  },
  {
    title: 'Live',
    query: `# Each event comes as it happens; \`extensions.cursor\` resumes after it.
subscription Live {
  instanceChanged {
    name
    status
    lastSeen
  }
}`,
  },
  {
    title: 'Commands',
    query: `# Sends nothing before you press the button. See \`commandKinds\` for what each takes.
mutation Diagnose($tags: [String!]) {
  sendCommand(input: { command: RUN_DIAGNOSTICS, tags: $tags }) {
    id
    total
    status
  }
}`,
    variables: '{ "tags": ["web"] }',
  },
  {
    title: 'Governance',
    query: `query Governance {
  scores {
    overallScore
    coverage
    violations
  }
  policies(first: 20) {
    nodes {
      name
      enforcement
      counts {
        passing
        failing
        unknown
      }
    }
  }
}`,
  },
  {
    title: 'What if',
    query: `# Where a rule would not hold if it were in force now. See \`factKinds\` for what can be compared.
query WhatIf($rule: PolicyRuleInput!) {
  previewPolicy(input: { rule: $rule }) {
    passing
    failing
    results {
      status
      instance {
        name
      }
      evidence {
        expected
        actual
      }
    }
  }
}`,
    variables: '{ "rule": { "condition": "backup.encryption", "operator": "equals", "value": true } }',
  },
  {
    title: 'Hosting',
    query: `query Hosting {
  hostingProviders {
    name
    status
  }
  servers(first: 20) {
    nodes {
      name
      phase
      progress
      priceMonthly
      currency
    }
  }
  clusters(first: 20) {
    nodes {
      name
      version
      status
    }
  }
}`,
  },
  {
    title: 'Billing',
    query: `query Billing {
  subscription {
    plan
    status
    nextInvoiceDate
  }
  usage {
    nodes {
      used
      limit
    }
    storage {
      used
      limit
    }
  }
}`,
  },
  {
    title: 'Organization',
    query: `query Organization {
  me {
    name
    role
    tenant {
      name
      plan
    }
  }
  permissions
  members(first: 20) {
    nodes {
      email
      role
    }
  }
}`,
  },
];

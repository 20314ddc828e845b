/** What a composer asks for, as a front-end developer writes it. */

import { graphql } from './gql/gql.js';

export const TARGETS = graphql(`
  query Targets {
    linkedInTargets {
      __typename
      ... on LinkedInDestination { id label imageUrl }
      ... on OrgPage { pageId organization { id name } }
      ... on PersonalPage { personalPageId lastSyncedAt }
    }
  }
`);

export const PREFERENCES = graphql(`
  query Preferences {
    linkedInPostingPreferences {
      id
      orgScopeMissing
      reconnectUrl
      targets { id enabled target { ... on LinkedInDestination { id label } } }
    }
  }
`);

export const SAVE = graphql(`
  mutation Save($input: SetLinkedInPostingPreferencesInput!) {
    setLinkedInPostingPreferences(input: $input) {
      __typename
      ... on SetLinkedInPostingPreferencesSuccess { preferences { id targets { id enabled } } }
      ... on MutationError { code message }
      ... on LinkedInTargetsUnavailable { refusals { id index reason message } }
    }
  }
`);

export const CHANGES = graphql(`
  subscription Changes {
    linkedInPostingPreferencesChanged {
      reason
      preferences { id targets { id enabled target { ... on LinkedInDestination { id label } } } }
    }
  }
`);

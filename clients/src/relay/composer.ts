/** What the compiler reads; what it makes of it is imported from `__generated__`. */

import { graphql } from 'relay-runtime';

export const query = () => graphql`
  query composerQuery {
    linkedInPostingPreferences {
      targets { enabled target { ...composer_destination @alias(as: "destination") } }
    }
  }
`;

export const destination = () => graphql`
  fragment composer_destination on LinkedInDestination @inline {
    label
    imageUrl
  }
`;

export const mutation = () => graphql`
  mutation composerMutation($input: SetLinkedInPostingPreferencesInput!) {
    setLinkedInPostingPreferences(input: $input) {
      ... on SetLinkedInPostingPreferencesSuccess { preferences { targets { enabled } } }
      ... on MutationError { code message }
    }
  }
`;

export const subscription = () => graphql`
  subscription composerSubscription {
    linkedInPostingPreferencesChanged { reason preferences { targets { enabled } } }
  }
`;

/** As a component asks again for one object. */
export const refetchable = () => graphql`
  fragment composer_page on OrgPage @refetchable(queryName: "composerPageQuery") {
    label
    organization { name }
  }
`;

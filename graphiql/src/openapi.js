import 'swagger-ui-dist/swagger-ui.css';
import './openapi.css';

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

const dark = matchMedia('(prefers-color-scheme: dark)');
const followBrowser = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followBrowser);
followBrowser();

SwaggerUI({
  domNode: document.getElementById('openapi'),
  url: '/openapi.json',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: 'none',
});

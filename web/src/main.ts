// Where the page begins.
import { mount } from 'svelte';
import App from './shell/App.svelte';
import './shell/base.css';

const target = document.getElementById('page');
if (target) mount(App, { target });

process.env['TSCC_TEST_MODE'] = 'pump';
await import('../surroundings.test.js');

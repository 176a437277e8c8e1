"""A shared package that is not the real one: functions run where that is not installed."""

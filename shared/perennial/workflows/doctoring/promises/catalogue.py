"""Every promise, in the order in which a person would doubt them."""

from __future__ import annotations

from perennial.workflows.doctoring.promises import listing, reading, writing
from perennial.workflows.doctoring.promises.room import Promise

PROMISES = (
    Promise("an object is created once", writing.created_once),
    Promise("of many who create at once one wins", writing.one_creator_wins),
    Promise("a swap needs the live generation", writing.swapped_on_its_generation),
    Promise("of many who swap at once nobody is lost", writing.no_update_is_lost),
    Promise("generations increase", writing.generations_increase),
    Promise("a large file arrives whole, once", writing.large_files_arrive),
    Promise("a wrong checksum is refused", writing.corruption_is_refused, needs="travel"),
    Promise("a copy is of the generation named", writing.copies_are_pinned),
    Promise("what is deleted is gone", writing.deleted_is_gone),
    Promise("facts and metadata are kept", reading.facts_are_kept),
    Promise("what is not there is not found", reading.absent_is_not_found),
    Promise("a read is of the generation named", reading.reads_are_pinned),
    Promise("a replaced generation is gone", reading.replaced_is_gone, needs="no versions"),
    Promise("replaced generations are kept", reading.versions_are_kept, needs="versions"),
    Promise("bytes fit their generation", reading.bytes_fit_their_generation),
    Promise("any name is a name", reading.any_name_is_a_name),
    Promise("clocks agree", reading.clocks_agree),
    Promise("a write shows in the next listing", listing.shown_at_once),
    Promise("listings are in byte order", listing.in_order),
    Promise("listings keep their bounds", listing.within_bounds),
    Promise("listings go past a page", listing.past_a_page),
)

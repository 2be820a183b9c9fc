/* SPDX-License-Identifier: MIT */
/*
 * crafted.c: one kind of damage each: all that the checklist of FAT32 knows.
 */
#include "case.h"

#include "lib/bytes.h"

#include <string.h>

#define A_TXT "A       TXT"
#define BIG "ABIGFI~1DAT"
#define EMPTY "EMPTY      "
#define D "D          "
#define E "E          "
#define IN_D(name) ("DIR/" name)

static void the_boot_sector_has_no_signature(void)
{
    card.image[510] = 0;
}

static void the_bytes_of_a_sector_are_0(void)
{
    put_le16(card.image + 11, 0);
}

static void the_bytes_of_a_sector_are_513(void)
{
    put_le16(card.image + 11, 513);
}

static void three_sectors_are_a_cluster(void)
{
    card.image[13] = 3;
}

static void no_sector_is_reserved(void)
{
    put_le16(card.image + 14, 0);
}

static void there_are_no_fats(void)
{
    card.image[16] = 0;
}

static void the_media_byte_is_12(void)
{
    card.image[21] = 0x12;
    place_sector(6)[21] = 0x12;
}

static void the_root_has_entries_of_its_own(void)
{
    put_le16(card.image + 17, 512);
}

static void the_fat_is_one_of_fat16(void)
{
    put_le16(card.image + 22, 9);
}

static void the_fat_has_no_sectors(void)
{
    put_le32(card.image + 36, 0);
}

static void two_fats_are_larger_than_32_bits_can_say(void)
{
    put_le32(card.image + 36, 0x80000001);
}

static void the_version_is_1(void)
{
    put_le16(card.image + 42, 1);
}

static void the_volume_is_larger_than_its_place(void)
{
    put_le32(card.image + 32, 100000);
}

static void the_fats_leave_no_room_for_data(void)
{
    put_le32(card.image + 32, 30);
}

static void the_fat_is_too_small_for_the_clusters(void)
{
    put_le32(card.image + 36, 1);
}

static void the_root_is_at_cluster_1(void)
{
    put_le32(card.image + 44, 1);
}

static void the_root_is_beyond_the_end(void)
{
    put_le32(card.image + 44, 5000);
}

static void the_active_fat_is_number_9(void)
{
    card.image[40] = 0x89;
}

static void only_the_second_fat_is_written(void)
{
    card.image[40] = 0x81;
    place_sector(6)[40] = 0x81;
}

static void the_boot_sector_and_its_copy_differ(void)
{
    place_sector(6)[67] ^= 1;
}

static void the_boot_sector_says_it_is_in_use(void)
{
    card.image[65] |= 1;
}

static void the_boot_sector_does_not_say_fat32(void)
{
    memset(card.image + 82, 'x', 8);
    memset(place_sector(6) + 82, 'x', 8);
}

static void the_copy_is_said_to_be_fsinfo(void)
{
    card.image[50] = 1;
}

static void fsinfo_is_not_among_the_reserved_sectors(void)
{
    put_le16(card.image + 48, 0xFFF6);
}

static void fsinfo_is_none(void)
{
    place_sector(1)[0] = 0;
}

static void fsinfo_has_a_wrong_number(void)
{
    put_le32(place_sector(1) + 488, 5);
}

static void fsinfo_does_not_know_its_number(void)
{
    put_le32(place_sector(1) + 488, 0xFFFFFFFF);
}

static void fsinfo_s_next_cluster_is_none(void)
{
    put_le32(place_sector(1) + 492, 77777);
}

static void fsinfo_is_where_the_copy_is(void)
{
    card.image[48] = 6;
    place_sector(6)[48] = 6;
}

static void entry_0_of_the_first_fat_is_wrong(void)
{
    put_le32(place_sector(32), 0x12345678);
}

static void entry_0_of_both_fats_is_wrong(void)
{
    set_link(0, 0x0FFFFF00);
}

static void the_fat_says_it_is_in_use(void)
{
    set_link(1, 0x07FFFFFF);
}

static void the_fat_says_the_medium_had_errors(void)
{
    set_link(1, 0x0BFFFFFF);
}

static void the_second_fat_differs(void)
{
    put_le32(place_sector(32 + le32(card.image + 36)) + 400, 0x0FFFFFFF);
}

static void a_link_is_1(void)
{
    set_link(slot_start(place_slot(BIG)), 1);
}

static void a_link_leads_beyond_the_end(void)
{
    set_link(slot_start(place_slot(BIG)), 9999);
}

static void a_link_is_the_largest_that_is_none(void)
{
    set_link(slot_start(place_slot(BIG)), 0x0FFFFFF6);
}

static void a_chain_leads_to_a_bad_cluster(void)
{
    set_link(get_link(slot_start(place_slot(BIG))), 0x0FFFFFF7);
}

static void a_chain_leads_to_a_free_cluster(void)
{
    set_link(get_link(slot_start(place_slot(BIG))), 0);
}

static void a_cluster_leads_to_itself(void)
{
    set_link(slot_start(place_slot(BIG)), slot_start(place_slot(BIG)));
}

static void a_chain_is_a_circle(void)
{
    set_link(get_link(get_link(slot_start(place_slot(BIG)))), slot_start(place_slot(BIG)));
}

static void two_files_share_a_chain(void)
{
    set_link(slot_start(place_slot(A_TXT)), get_link(slot_start(place_slot(BIG))));
}

static void two_files_start_with_the_same_cluster(void)
{
    put_le16(place_slot(A_TXT) + 26, (uint16_t)slot_start(place_slot(BIG)));
}

static void a_file_leads_into_the_root(void)
{
    set_link(slot_start(place_slot(A_TXT)), 2);
}

static void a_chain_is_too_short(void)
{
    set_link(slot_start(place_slot(BIG)), 0x0FFFFFFF);
}

static void a_chain_is_too_long(void)
{
    put_le32(place_slot(BIG) + 28, 600);
}

static void an_empty_file_has_clusters(void)
{
    put_le32(place_slot(BIG) + 28, 0);
}

static void a_file_has_a_size_and_no_clusters(void)
{
    put_le32(place_slot(EMPTY) + 28, 5);
}

static void a_file_starts_at_cluster_1(void)
{
    put_le16(place_slot(A_TXT) + 26, 1);
}

static void a_file_starts_beyond_the_end(void)
{
    put_le16(place_slot(A_TXT) + 26, 60000);
}

static void a_file_starts_where_the_root_does(void)
{
    put_le16(place_slot(A_TXT) + 26, 2);
}

static void a_file_starts_at_a_free_cluster(void)
{
    put_le16(place_slot(A_TXT) + 26, 150);
}

static void a_chain_is_nobody_s(void)
{
    set_link(140, 141);
    set_link(141, 0x0FFFFFFF);
}

static void a_circle_is_nobody_s(void)
{
    set_link(140, 141);
    set_link(141, 140);
}

static void a_free_cluster_is_bad(void)
{
    set_link(150, 0x0FFFFFF7);
    put_le32(place_sector(1) + 488, le32(place_sector(1) + 488) - 1);
}

static void a_free_cluster_has_its_upper_bits_set(void)
{
    set_link(150, 0xF0000000);
}

static void the_root_is_marked_as_free(void)
{
    set_link(2, 0);
}

static void the_root_is_marked_as_bad(void)
{
    set_link(2, 0x0FFFFFF7);
}

static void the_first_entry_leads_elsewhere(void)
{
    put_le16(place_cluster(slot_start(place_slot(D))) + 26, 3);
}

static void the_second_entry_leads_elsewhere(void)
{
    put_le16(place_cluster(slot_start(place_slot(D))) + 32 + 26, 3);
}

static void the_second_entry_is_missing(void)
{
    place_cluster(slot_start(place_slot(D)))[32] = 0xE5;
}

static void the_first_entry_is_missing(void)
{
    memset(place_cluster(slot_start(place_slot(E))), 0, 512);
}

static void a_directory_has_a_size(void)
{
    put_le32(place_slot(D) + 28, 512);
}

static void a_directory_starts_nowhere(void)
{
    put_le16(place_slot(E) + 26, 0);
}

static void a_directory_contains_itself(void)
{
    put_le16(place_slot(IN_D("INNER      ")) + 26, (uint16_t)slot_start(place_slot(D)));
}

static void a_directory_is_the_root(void)
{
    put_le16(place_slot(E) + 26, 2);
}

static void a_directory_goes_on_behind_its_end(void)
{
    memcpy(place_cluster(slot_start(place_slot(E))) + 320, place_slot(A_TXT), 32);
}

static void a_long_name_has_no_entry(void)
{
    memcpy(place_cluster(slot_start(place_slot(E))) + 64, place_slot(BIG) - 32, 32);
}

static void the_sum_of_a_long_name_is_wrong(void)
{
    place_slot(BIG)[-32 + 13] ^= 1;
}

static void a_long_name_has_its_parts_twice(void)
{
    memcpy(place_slot(BIG) - 32, place_slot(BIG) - 64, 32);
}

static void a_long_name_has_an_illegal_character(void)
{
    place_slot(BIG)[-32 + 1] = '*';
}

static void a_long_name_has_half_a_character(void)
{
    place_slot(BIG)[-32 + 2] = 0xD8;
}

static void a_slot_of_a_long_name_has_a_cluster(void)
{
    put_le16(place_slot(BIG) - 32 + 26, 9);
}

static void an_entry_says_it_has_no_short_name(void)
{
    place_slot(A_TXT)[12] |= 0x20;
}

static void a_slot_of_a_long_name_is_of_a_kind_that_nobody_knows(void)
{
    place_slot(BIG)[-32 + 12] = 1;
}

static void a_long_name_has_no_end(void)
{
    place_slot(BIG)[-32 * 4 + 1] = 0;
}

static void the_label_has_a_character_that_is_not_allowed(void)
{
    place_slot("CUTS       ")[1] = 1;
}

static void a_short_name_has_an_illegal_character(void)
{
    place_slot(A_TXT)[1] = '*';
}

static void a_short_name_is_in_lower_case(void)
{
    place_slot(A_TXT)[0] = 'a';
}

static void a_short_name_begins_with_a_blank(void)
{
    place_slot(A_TXT)[0] = ' ';
}

static void two_files_have_the_same_name(void)
{
    memcpy(place_slot(EMPTY), A_TXT, 11);
}

static void a_short_name_is_another_s_long_one(void)
{
    memcpy(place_slot(IN_D("X          ")), "ONEMOR~1TEX", 11);
}

static void an_entry_is_a_label_and_a_directory(void)
{
    place_slot(E)[11] = 0x18;
}

static void the_root_has_two_labels(void)
{
    memcpy(place_slot(EMPTY), place_slot("CUTS       "), 32);
}

static void a_label_is_not_in_the_root(void)
{
    memcpy(place_slot(IN_D("X          ")), place_slot("CUTS       "), 32);
}

static void a_label_has_clusters(void)
{
    put_le16(place_slot("CUTS       ") + 26, 100);
}

static void a_label_has_a_size(void)
{
    put_le32(place_slot("CUTS       ") + 28, 100);
}

static void the_second_entry_has_no_short_name(void)
{
    place_cluster(slot_start(place_slot(D)))[32 + 12] = 0x20;
}

static void the_label_is_not_that_of_the_boot_sector(void)
{
    place_slot("CUTS       ")[0] = 'P';
}

static void the_root_has_no_label(void)
{
    place_slot("CUTS       ")[0] = 0xE5;
}

static void a_date_has_month_15_and_a_time_31_hours(void)
{
    put_le16(place_slot(A_TXT) + 24, 0x55FF);
    put_le16(place_slot(A_TXT) + 22, 0xFFFF);
}

static void reserved_bits_of_attributes_are_set(void)
{
    place_slot(A_TXT)[11] |= 0xC0;
}

const struct craft crafts[] = {
    {"the boot sector has no signature", the_boot_sector_has_no_signature, REFUSED, "signature",
     "rxr", ""},
    {"the bytes of a sector are 0", the_bytes_of_a_sector_are_0, REFUSED, "bytes per sector", "rxr",
     ""},
    {"the bytes of a sector are 513", the_bytes_of_a_sector_are_513, REFUSED, "bytes per sector",
     "rxr", ""},
    {"three sectors are a cluster", three_sectors_are_a_cluster, REFUSED, "sectors per cluster",
     "rxr", ""},
    {"no sector is reserved", no_sector_is_reserved, REFUSED, "reserved sectors", "rxr", ""},
    {"there are no FATs", there_are_no_fats, REFUSED, "number of FATs", "rxr", ""},
    {"the media byte is 12", the_media_byte_is_12, DAMAGED, "media byte", "xxx", ""},
    {"the root has entries of its own", the_root_has_entries_of_its_own, REFUSED, "not FAT32's",
     "rxr", ""},
    {"the FAT is one of FAT16", the_fat_is_one_of_fat16, REFUSED, "not FAT32's", "xxx", ""},
    {"the FAT has no sectors", the_fat_has_no_sectors, REFUSED, "not FAT32's", "rxr", ""},
    {"two FATs are larger than 32 bits can say", two_fats_are_larger_than_32_bits_can_say, REFUSED,
     "number of sectors", "rxr", ""},
    {"the version is 1", the_version_is_1, REFUSED, "version", "rxr", ""},
    {"the volume is larger than its place", the_volume_is_larger_than_its_place, REFUSED,
     "more than there are", "rxr", ""},
    {"the FATs leave no room for data", the_fats_leave_no_room_for_data, REFUSED,
     "number of sectors", "rxr", ""},
    {"the FAT is too small for the clusters", the_fat_is_too_small_for_the_clusters, REFUSED,
     "too small", "rrr", ""},
    {"the root is at cluster 1", the_root_is_at_cluster_1, REFUSED, "root's cluster", "rxr", ""},
    {"the root is beyond the end", the_root_is_beyond_the_end, REFUSED, "root's cluster", "rxr",
     ""},
    {"the active FAT is number 9", the_active_fat_is_number_9, REFUSED, "active FAT", "rxr", ""},
    {"only the second FAT is written", only_the_second_fat_is_written, NOTED, "", "www", ""},
    {"the boot sector and its copy differ", the_boot_sector_and_its_copy_differ, DAMAGED,
     "copy differ", "www", ""},
    {"the boot sector says it is in use", the_boot_sector_says_it_is_in_use, UNTIDY, "in use",
     "www", ""},
    {"the boot sector does not say FAT32", the_boot_sector_does_not_say_fat32, NOTED,
     "FAT32 in words", "www", ""},
    {"the copy is said to be FSInfo", the_copy_is_said_to_be_fsinfo, DAMAGED,
     "copy of the boot sector", "www", ""},
    {"FSInfo is not among the reserved sectors", fsinfo_is_not_among_the_reserved_sectors, DAMAGED,
     "FSInfo is said", "www", ""},
    {"FSInfo is none", fsinfo_is_none, DAMAGED, "FSInfo", "www", ""},
    {"FSInfo has a wrong number", fsinfo_has_a_wrong_number, DAMAGED, "said to be free", "www", ""},
    {"FSInfo does not know its number", fsinfo_does_not_know_its_number, UNTIDY, "not known", "www",
     ""},
    {"FSInfo's next cluster is none", fsinfo_s_next_cluster_is_none, NOTED, "next free cluster",
     "www", ""},
    {"FSInfo is where the copy is", fsinfo_is_where_the_copy_is, DAMAGED, "FSInfo", "www", ""},
    {"entry 0 of the first FAT is wrong", entry_0_of_the_first_fat_is_wrong, DAMAGED, "first entry",
     "rrr", ""},
    {"entry 0 of both FATs is wrong", entry_0_of_both_fats_is_wrong, DAMAGED, "first entry", "rrr",
     ""},
    {"the FAT says it is in use", the_fat_says_it_is_in_use, UNTIDY, "in use", "www", ""},
    {"the FAT says the medium had errors", the_fat_says_the_medium_had_errors, UNTIDY,
     "medium had errors", "www", ""},
    {"the second FAT differs", the_second_fat_differs, UNTIDY, "differs from the first", "www", ""},
    {"a link is 1", a_link_is_1, DAMAGED, "does not exist", "wwr", "/a big,"},
    {"a link leads beyond the end", a_link_leads_beyond_the_end, DAMAGED, "does not exist", "wwr",
     "/a big,"},
    {"a link is the largest that is none", a_link_is_the_largest_that_is_none, DAMAGED,
     "does not exist", "wwr", "/a big,"},
    {"a chain leads to a bad cluster", a_chain_leads_to_a_bad_cluster, DAMAGED, "bad cluster",
     "wwr", "/a big,"},
    {"a chain leads to a free cluster", a_chain_leads_to_a_free_cluster, DAMAGED, "free cluster",
     "wwr", "/a big,"},
    {"a cluster leads to itself", a_cluster_leads_to_itself, DAMAGED, "or itself", "wwr",
     "/a big,"},
    {"a chain is a circle", a_chain_is_a_circle, DAMAGED, "or itself", "wwr", "/a big,"},
    {"two files share a chain", two_files_share_a_chain, DAMAGED, "another file has", "wwr",
     "/a.txt,/a big,"},
    {"two files start with the same cluster", two_files_start_with_the_same_cluster, DAMAGED,
     "another file has", "wwr", "/a.txt,/a big,"},
    {"a file leads into the root", a_file_leads_into_the_root, DAMAGED, "another file has", "wwr",
     "/a.txt,"},
    {"a chain is too short", a_chain_is_too_short, DAMAGED, "needs", "wwr", "/a big,"},
    {"a chain is too long", a_chain_is_too_long, UNTIDY, "needs", "www", "/a big,"},
    {"an empty file has clusters", an_empty_file_has_clusters, UNTIDY, "needs 0", "www", "/a big,"},
    {"a file has a size and no clusters", a_file_has_a_size_and_no_clusters, DAMAGED, "no cluster",
     "wwr", "/empty,"},
    {"a file starts at cluster 1", a_file_starts_at_cluster_1, DAMAGED, "starts at cluster 1",
     "wwr", "/a.txt,"},
    {"a file starts beyond the end", a_file_starts_beyond_the_end, DAMAGED,
     "starts at cluster 60000", "wwr", "/a.txt,"},
    {"a file starts where the root does", a_file_starts_where_the_root_does, DAMAGED,
     "another file has", "wwr", "/a.txt,"},
    {"a file starts at a free cluster", a_file_starts_at_a_free_cluster, DAMAGED, "free cluster",
     "wwr", "/a.txt,"},
    {"a chain is nobody's", a_chain_is_nobody_s, UNTIDY, "nobody's", "www", ""},
    {"a circle is nobody's", a_circle_is_nobody_s, UNTIDY, "nobody's", "www", ""},
    {"a free cluster is bad", a_free_cluster_is_bad, NOTED, "", "www", ""},
    {"a free cluster has its upper bits set", a_free_cluster_has_its_upper_bits_set, NOTED, "",
     "www", ""},
    {"the root is marked as free", the_root_is_marked_as_free, DAMAGED, "free cluster", "xxx",
     "/a big,/a.txt,/empty,/d,/e,"},
    {"the root is marked as bad", the_root_is_marked_as_bad, DAMAGED, "bad cluster", "xxx",
     "/a big,/a.txt,/empty,/d,/e,"},
    {"the first entry leads elsewhere", the_first_entry_leads_elsewhere, DAMAGED, "entry 0 of",
     "www", ""},
    {"the second entry leads elsewhere", the_second_entry_leads_elsewhere, DAMAGED, "entry 1 of",
     "www", ""},
    {"the second entry is missing", the_second_entry_is_missing, DAMAGED, "does not begin", "www",
     ""},
    {"the first entry is missing", the_first_entry_is_missing, DAMAGED, "does not begin", "www",
     ""},
    {"a directory has a size", a_directory_has_a_size, DAMAGED, "has a size", "wwr", ""},
    {"a directory starts nowhere", a_directory_starts_nowhere, DAMAGED, "starts at cluster 0",
     "wwr", "/e,"},
    {"a directory contains itself", a_directory_contains_itself, DAMAGED, "another file has", "wwr",
     "/d/inner,"},
    {"a directory is the root", a_directory_is_the_root, DAMAGED, "another file has", "wwr", "/e,"},
    {"a directory goes on behind its end", a_directory_goes_on_behind_its_end, DAMAGED,
     "behind its end", "wwr", ""},
    {"a long name has no entry", a_long_name_has_no_entry, UNTIDY, "have no entry", "www", ""},
    {"the sum of a long name is wrong", the_sum_of_a_long_name_is_wrong, UNTIDY, "have no entry",
     "www", "/a big,"},
    {"a long name has its parts twice", a_long_name_has_its_parts_twice, UNTIDY, "have no entry",
     "www", "/a big,"},
    {"a long name has an illegal character", a_long_name_has_an_illegal_character, DAMAGED,
     "not allowed", "www", "/a big,"},
    {"a long name has half a character", a_long_name_has_half_a_character, NOTED,
     "half a character", "www", "/a big,"},
    {"a slot of a long name has a cluster", a_slot_of_a_long_name_has_a_cluster, DAMAGED,
     "has a cluster", "www/a big,", ""},
    {"an entry says it has no short name", an_entry_says_it_has_no_short_name, DAMAGED,
     "no short name", "www", ""},
    {"a slot of a long name is of a kind that nobody knows",
     a_slot_of_a_long_name_is_of_a_kind_that_nobody_knows, UNTIDY, "unknown kind", "www", ""},
    {"a long name has no end", a_long_name_has_no_end, DAMAGED, "without an end", "www", "/a big,"},
    {"the label has a character that is not allowed", the_label_has_a_character_that_is_not_allowed,
     DAMAGED, "label is not allowed", "www", ""},
    {"a short name has an illegal character", a_short_name_has_an_illegal_character, DAMAGED,
     "short name", "wwr", "/a.txt,"},
    {"a short name is in lower case", a_short_name_is_in_lower_case, DAMAGED, "short name", "www",
     "/a.txt,"},
    {"a short name begins with a blank", a_short_name_begins_with_a_blank, DAMAGED, "short name",
     "wwr", "/a.txt,"},
    {"two files have the same name", two_files_have_the_same_name, DAMAGED, "the same name", "www",
     "/a.txt,/empty,"},
    {"a short name is another's long one", a_short_name_is_another_s_long_one, DAMAGED,
     "the same name", "www", "/d/x,/d/One,"},
    {"an entry is a label and a directory", an_entry_is_a_label_and_a_directory, DAMAGED,
     "a label and a directory", "wwr", "/e,"},
    {"the root has two labels", the_root_has_two_labels, DAMAGED, "two labels", "www", "/empty,"},
    {"a label is not in the root", a_label_is_not_in_the_root, DAMAGED, "not in the root", "wwr",
     "/d/x,"},
    {"a label has clusters", a_label_has_clusters, DAMAGED, "label has clusters", "www", ""},
    {"a label has a size", a_label_has_a_size, DAMAGED, "label has a size", "www", ""},
    {"the second entry has no short name", the_second_entry_has_no_short_name, DAMAGED,
     "no short name", "www", ""},
    {"the label is not that of the boot sector", the_label_is_not_that_of_the_boot_sector, UNTIDY,
     "label", "www", ""},
    {"the root has no label", the_root_has_no_label, UNTIDY, "label", "www", ""},
    {"a date has month 15 and a time 31 hours", a_date_has_month_15_and_a_time_31_hours, NOTED,
     "time that does not exist", "www", "/a.txt,"},
    {"reserved bits of attributes are set", reserved_bits_of_attributes_are_set, NOTED, "", "www",
     "/a.txt,"},
};

unsigned craft_count(void)
{
    return sizeof crafts / sizeof crafts[0];
}

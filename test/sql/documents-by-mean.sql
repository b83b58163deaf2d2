begin read only;
set local role funes_admin;
set local hnsw.ef_search = 400;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 8000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  source.document_id::text,
  hit.distance,
  "documents"."id",
  "documents"."user_id",
  "documents"."filename",
  "documents"."file_path",
  "documents"."file_type",
  "documents"."file_size",
  "documents"."content_hash",
  "documents"."total_chunks",
  "documents"."created_at",
  "documents"."processed_at",
  "documents"."updated_at",
  "documents"."metadata",
  "document_chunks"."id",
  "document_chunks"."user_id",
  "document_chunks"."document_id",
  "document_chunks"."chunk_index",
  "document_chunks"."total_chunks",
  "document_chunks"."content",
  "document_chunks"."content_summary",
  "document_chunks"."embedding_model",
  "document_chunks"."embedding_source",
  "document_chunks"."embedding_error",
  "document_chunks"."chunk_size",
  "document_chunks"."overlap_size",
  "document_chunks"."start_offset",
  "document_chunks"."end_offset",
  "document_chunks"."metadata",
  "document_chunks"."created_at",
  case
    when "document_chunks"."embedding_error" is not null then 'FAILED'
    when "document_chunks"."embedding" is null then 'PENDING'
    when (
      "document_chunks"."embedding_source" = 'FUNES'
      and "document_chunks"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  (
    select distinct
      on (document_id) document_id,
      embedding_model as embedding_model,
      avg(embedding) as vector
    from
      "document_chunks"
    where
      (
        "document_chunks"."document_id" in ($1)
        and "document_chunks"."embedding" is not null
      )
    group by
      document_id,
      embedding_model
    order by
      document_id,
      embedding_model = (
        select
          embedding_model
        from
          installation
      ) desc nulls last,
      count(*) desc,
      embedding_model
  ) as source
  cross join lateral (
    select
      *
    from
      (
        select
          candidate.chunk_id,
          candidate.document_id,
          candidate.user_id,
          mean.vector as embedding,
          0::bigint as round,
          mean.vector <=> source.vector as distance
        from
          (
            select
              *,
              row_number() over (
                order by
                  distance,
                  document_id
              ) as rank
            from
              (
                with
                  best as materialized (
                    select distinct
                      on (document_id) id as chunk_id,
                      document_id,
                      user_id,
                      distance
                    from
                      (
                        with
                          near as materialized (
                            select
                              "document_chunks"."id",
                              "document_chunks"."document_id",
                              "document_chunks"."user_id",
                              "document_chunks"."embedding" <=> source.vector as distance
                            from
                              "document_chunks"
                            where
                              (
                                (
                                  case
                                    when "document_chunks"."embedding_model" = source.embedding_model then 1
                                  end
                                ) is not null
                                and "document_chunks"."document_id" <> source.document_id
                              )
                            order by
                              distance,
                              "document_chunks"."id"
                            limit
                              $2
                          ),
                          completed as materialized (
                            select
                              *
                            from
                              (
                                select
                                  "document_chunks"."id",
                                  "document_chunks"."document_id",
                                  "document_chunks"."user_id",
                                  "document_chunks"."embedding" <=> source.vector as distance
                                from
                                  "document_chunks"
                                where
                                  (
                                    (
                                      case
                                        when "document_chunks"."embedding_model" = source.embedding_model then 1
                                      end
                                    ) is not null
                                    and (
                                      not (
                                        select
                                          count(*)
                                        from
                                          near
                                      ) >= $3
                                      and "document_chunks"."document_id" <> source.document_id
                                    )
                                  )
                              ) candidate
                            order by
                              distance + 0,
                              id
                            limit
                              $4
                          ) (
                            select
                              *
                            from
                              near
                            where
                              (
                                select
                                  count(*)
                                from
                                  near
                              ) >= $5
                            order by
                              distance,
                              id
                            limit
                              $6
                          )
                        union all
                        select
                          *
                        from
                          completed
                      ) chunks
                    order by
                      document_id,
                      distance,
                      id
                  ),
                  completed as materialized (
                    select
                      *
                    from
                      (
                        select distinct
                          on (document_id) id as chunk_id,
                          document_id,
                          user_id,
                          "document_chunks"."embedding" <=> source.vector as distance
                        from
                          "document_chunks"
                        where
                          (
                            not (
                              select
                                count(*)
                              from
                                best
                            ) >= $7
                            and (
                              case
                                when "document_chunks"."embedding_model" = source.embedding_model then 1
                              end
                            ) is not null
                            and "document_chunks"."document_id" <> source.document_id
                          )
                        order by
                          document_id,
                          distance,
                          id
                      ) every_document
                    order by
                      distance,
                      document_id
                    limit
                      $8
                  ) (
                    select
                      *
                    from
                      best
                    where
                      (
                        select
                          count(*)
                        from
                          best
                      ) >= $9
                    order by
                      distance,
                      document_id
                    limit
                      $10
                  )
                union all
                select
                  *
                from
                  completed
              ) nearest
          ) candidate
          cross join lateral (
            select
              avg(
                case
                  when member.embedding_model = source.embedding_model then member.embedding
                end
              ) as vector
            from
              document_chunks member
            where
              member.document_id = candidate.document_id
              and member.user_id = candidate.user_id
          ) mean
      ) by_mean
    order by
      distance,
      document_id
    limit
      $11
  ) as hit
  inner join "document_chunks" on (
    "document_chunks"."id" = hit.chunk_id
    and "document_chunks"."user_id" = hit.user_id
  )
  inner join "documents" on (
    "documents"."id" = hit.document_id
    and "documents"."user_id" = hit.user_id
  )
order by
  source.document_id asc,
  hit.distance asc,
  "documents"."id" asc;
